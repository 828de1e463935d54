public import Backends
internal import Tensors
public import Weights

/// Multi-head latent attention: keys and values of all heads come from one narrow latent vector, and a part of the key that
/// all heads share carries the position (DeepSeek-V2, arXiv 2405.04434, 2.1).
///
/// The heads are expanded before they are written to the cache, so that attention is the usual one. A token takes
/// `2 * headCount * cachedHeadSize` numbers of a layer's cache: 6,144 in DeepSeek-V2-Lite, of which 1,024 are zeros behind
/// the values (the latent vector and the shared part of its key have 576).
public struct DecoderLatentAttention: Sendable {
    public var headCount: Int
    /// Width of the latent vector of queries; nil: they are projected at once.
    public var queryRank: Int?
    /// Width of the latent vector of keys and values.
    public var keyValueRank: Int
    /// Numbers of a head of queries and keys that are not rotated.
    public var plainSize: Int
    /// Those behind them that are rotated.
    public var rotarySize: Int
    /// Numbers of a head of values.
    public var valueSize: Int
    public var rotary: RotaryEmbedding
    /// Factor on the scores.
    public var scale: Float
    /// The epsilon of the latent vectors' norms.
    public var epsilon: Double
    /// Whether the projections to the latent vectors and the output have biases in Hugging Face checkpoints.
    public var hasBiases: Bool

    /// Numbers of a head of queries and keys.
    public var headSize: Int { plainSize + rotarySize }
    /// Numbers of a head in the cache: keys and values have the same there.
    public var cachedHeadSize: Int { max(headSize, valueSize) }
}

extension DecoderLatentAttention {
    /// Reads `metadata`, whose `rope_interleave` says how Hugging Face checkpoints pair the rotated numbers. Throws
    /// `missingKey`, `illTypedKey` or `unsupported`.
    init(_ metadata: ModelMetadata, contextLength: Int) throws(WeightLoadingError) {
        let isGGUF = metadata.format == .gguf
        headCount = try metadata.size("num_attention_heads", gguf: "attention.head_count", limit: 1 << 14)
        queryRank = try metadata.optionalSize("q_lora_rank", gguf: "attention.q_lora_rank")
        keyValueRank = try metadata.size("kv_lora_rank", gguf: "attention.kv_lora_rank")
        rotarySize = try metadata.size("qk_rope_head_dim", gguf: "rope.dimension_count", limit: 1 << 14)
        if isGGUF {
            // Files for llama.cpp's attention over latent vectors state their lengths, and those of heads in keys of their own.
            func length(_ name: String) throws(WeightLoadingError) -> Int {
                let ofHeads = try metadata.optionalSize("", gguf: "attention.\(name)_mla", limit: 1 << 14)
                if let ofHeads { return ofHeads }
                return try metadata.size("", gguf: "attention.\(name)", limit: 1 << 14)
            }
            let keySize = try length("key_length")
            guard keySize > rotarySize else {
                throw metadata.illTyped(
                    "", gguf: "rope.dimension_count", expected: "less than the key length, \(keySize)",
                    found: "\(rotarySize)")
            }
            plainSize = keySize - rotarySize
            valueSize = try length("value_length")
        } else {
            plainSize = try metadata.size("qk_nope_head_dim", limit: 1 << 14)
            valueSize = try metadata.size("v_head_dim", limit: 1 << 14)
        }
        var parameters = try RotaryParameters(metadata, headSize: rotarySize)
        scale = 1 / Float(plainSize + rotarySize).squareRoot()
        if case .yarn(let factor, let length, let betaFast, let betaSlow, _, let isTruncated) = parameters.scaling {
            let multiplier = try Self.scoreMultiplier(metadata)
            let magnitude = RotaryParameters.yarnMagnitude(factor: factor, multiplier: multiplier)
            if multiplier != 0 { scale *= Float(magnitude * magnitude) }
            if multiplier != 0, isGGUF {
                // `mscale` is not in the file; it equals `mscale_all_dim` in all published models.
                parameters.scaling = .yarn(
                    factor: factor, originalLength: length, betaFast: betaFast, betaSlow: betaSlow, magnitude: 1,
                    isTruncated: isTruncated)
            }
        }
        let isInterleaved = isGGUF ? true : try metadata.bool("rope_interleave") ?? true
        rotary = parameters.embedding(pairing: isInterleaved ? .interleaved : .halves, contextLength: contextLength)
        // The class of these norms in transformers reads no epsilon from the configuration.
        epsilon = isGGUF ? try metadata.rmsEpsilon() : 1e-6
        hasBiases = try metadata.bool("attention_bias") ?? false
    }

    /// `mscale_all_dim`: with YaRN, scores are multiplied by the square of the magnitude that it gives; 0: they are not.
    private static func scoreMultiplier(_ metadata: ModelMetadata) throws(WeightLoadingError) -> Double {
        if metadata.format == .gguf {
            // Converters of this architecture multiply it by 0.1.
            return 10 * (try metadata.number("", gguf: "rope.scaling.yarn_log_multiplier") ?? 0)
        }
        let (old, new) = (try metadata.object("rope_scaling"), try metadata.object("rope_parameters"))
        return try (old ?? new)?.number("mscale_all_dim") ?? 0
    }
}

extension DecoderBuilder {
    /// Causal latent attention of `input`, projected back to the width of the stream.
    public mutating func latentAttention(
        _ input: ValueID, _ attention: DecoderLatentAttention, layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        let (headCount, size) = (attention.headCount, attention.cachedHeadSize)
        var query = try latentQuery(input, attention, layer: layer)
        if attention.headSize < size {
            let heads = HeadColumns(query, stride: attention.headSize, width: attention.headSize)
            query = concatHeads(heads, headCount: headCount, headSize: size)
        }
        let (key, value) = try latentKeyAndValue(input, attention, layer: layer)
        let cache = plan.addCacheLayer(CacheLayer(keyValueHeadCount: headCount, headSize: size))
        plan.append(.writeKV(layer: cache, key: key, value: value))
        var attended = plan.addValue(rows: .tokens, width: headCount * size)
        let shape = AttentionShape(queryHeadCount: headCount, scale: attention.scale)
        plan.append(.pagedAttention(layer: cache, query: query, attention: shape, output: attended))
        if attention.valueSize < size {
            let heads = HeadColumns(attended, stride: size, width: attention.valueSize)
            attended = concatHeads(heads, headCount: headCount, headSize: attention.valueSize)
        }
        return try linear(
            attended, .attentionOutput, layer: layer, width: sizes.hiddenSize, hasBias: attention.hasBiases)
    }

    /// The rotated queries. The rotated numbers of each head come first, as `rotaryEmbedding` needs them: scores do not depend
    /// on the order of a head's numbers.
    private mutating func latentQuery(
        _ input: ValueID, _ attention: DecoderLatentAttention, layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        let (size, plain) = (attention.headSize, attention.plainSize)
        let rows = (0..<attention.headCount).flatMap { (head: Int) -> [Range<Int>] in
            let start = head * size
            return [start + plain..<start + size, start..<start + plain]
        }
        var (source, part) = (input, TensorPart.query)
        if let rank = attention.queryRank {
            let latent = try linear(input, .queryDown, layer: layer, width: rank, hasBias: attention.hasBiases)
            source = try norm(
                latent, named: naming.module(.queryDownNorm, layer: layer), groupSize: rank,
                .rms(epsilon: attention.epsilon))
            part = .queryUp
        }
        let query = try fusedLinear(
            source, part, layer: layer, width: attention.headCount * size, parts: [rows], hasBias: false)
        return rotated(query[0], attention, headSize: size)
    }

    /// The keys, whose shared and rotated part comes first in each head, and the values with zeros behind them.
    private mutating func latentKeyAndValue(
        _ input: ValueID, _ attention: DecoderLatentAttention, layer: Int
    ) throws(WeightLoadingError) -> (key: ValueID, value: ValueID) {
        let rank = attention.keyValueRank
        let width = rank + attention.rotarySize
        let down = try fusedLinear(
            input, .keyValueDown, layer: layer, width: width, parts: [[0..<rank], [rank..<width]],
            hasBias: attention.hasBiases)
        let latent = try norm(
            down[0], named: naming.module(.keyValueDownNorm, layer: layer), groupSize: rank,
            .rms(epsilon: attention.epsilon))
        let shared = rotated(down[1], attention, headSize: attention.rotarySize)
        let (plain, value) = try expandedHeads(latent, attention, layer: layer)
        let (headCount, size) = (attention.headCount, attention.cachedHeadSize)
        let key = concatHeads(
            HeadColumns(shared, stride: 0, width: attention.rotarySize), plain, headCount: headCount, headSize: size)
        return (key, concatHeads(value, headCount: headCount, headSize: size))
    }

    /// Keys without the rotated part and values of each head. Newer GGUF files have a matrix for each of both.
    private mutating func expandedHeads(
        _ latent: ValueID, _ attention: DecoderLatentAttention, layer: Int
    ) throws(WeightLoadingError) -> (key: HeadColumns, value: HeadColumns) {
        let (headCount, plain, valueSize) = (attention.headCount, attention.plainSize, attention.valueSize)
        guard isGGUF, !model.has(naming.weight(.keyValueUp, layer: layer)) else {
            for part in [TensorPart.keyUp, .valueUp] where isGGUF { try skip(part, layer: layer) }
            let heads = try linear(latent, .keyValueUp, layer: layer, width: headCount * (plain + valueSize))
            return (
                HeadColumns(heads, stride: plain + valueSize, width: plain),
                HeadColumns(heads, offset: plain, stride: plain + valueSize, width: valueSize)
            )
        }
        let (keyName, valueName) = (naming.weight(.keyUp, layer: layer), naming.weight(.valueUp, layer: layer))
        let rank = attention.keyValueRank
        let transposed = try model.stacked(keyName, count: headCount, inputSize: plain, outputSize: rank)
        let key = linear(latent, plan.addMatrix(keyName, transposed.transposingBlocks(headCount)))
        let values = try model.stacked(valueName, count: headCount, inputSize: rank, outputSize: valueSize)
        let value = linear(latent, plan.addMatrix(valueName, values))
        return (HeadColumns(key, stride: plain, width: plain), HeadColumns(value, stride: valueSize, width: valueSize))
    }

    private mutating func rotated(
        _ input: ValueID, _ attention: DecoderLatentAttention, headSize: Int
    ) -> ValueID {
        let output = plan.addValue(rows: .tokens, width: plan[input].width)
        plan.append(
            .rotaryEmbedding(input: input, headSize: headSize, rotary: attention.rotary, output: output))
        return output
    }

    /// `headCount` heads of `headSize` numbers: those of `first`, those of `second`, zeros.
    private mutating func concatHeads(
        _ first: HeadColumns, _ second: HeadColumns? = nil, headCount: Int, headSize: Int
    ) -> ValueID {
        let output = plan.addValue(rows: plan[first.input].rows, width: headCount * headSize)
        plan.append(.concatHeads(first: first, second: second, headCount: headCount, output: output))
        return output
    }
}
