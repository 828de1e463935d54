public import Backends
internal import Tensors
public import Weights

/// The sizes that most decoders have, by their usual keys.
public struct DecoderSizes: Sendable, Hashable {
    /// Width of the residual stream.
    public var hiddenSize: Int
    public var layerCount: Int
    /// Query heads of a layer.
    public var headCount: Int
    /// Heads of keys and values; divides `headCount`.
    public var keyValueHeadCount: Int
    public var headSize: Int
    /// Width inside of the feed-forward block.
    public var intermediateSize: Int

    public init(
        hiddenSize: Int, layerCount: Int, headCount: Int, keyValueHeadCount: Int, headSize: Int, intermediateSize: Int
    ) {
        self.hiddenSize = hiddenSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.keyValueHeadCount = keyValueHeadCount
        self.headSize = headSize
        self.intermediateSize = intermediateSize
    }

    /// Reads `metadata`; with `intermediateSize`, that one is not read. Without `groupsHeads`, the family's class has as many
    /// heads of keys and values as of queries, whatever `config.json` says. Throws `missingKey` or `illTypedKey`.
    public init(
        _ metadata: ModelMetadata, intermediateSize: Int? = nil, groupsHeads: Bool = true
    ) throws(WeightLoadingError) {
        hiddenSize = try metadata.size("hidden_size", gguf: "embedding_length")
        layerCount = try metadata.size("num_hidden_layers", gguf: "block_count", limit: 1 << 14)
        let (heads, keyValueHeads) = ("num_attention_heads", "num_key_value_heads")
        let (ggufHeads, ggufKeyValueHeads) = ("attention.head_count", "attention.head_count_kv")
        headCount = try metadata.size(heads, gguf: ggufHeads)
        keyValueHeadCount =
            groupsHeads || metadata.format == .gguf
            ? try metadata.optionalSize(keyValueHeads, gguf: ggufKeyValueHeads) ?? headCount : headCount
        guard headCount % keyValueHeadCount == 0 else {
            throw metadata.illTyped(
                keyValueHeads, gguf: ggufKeyValueHeads, expected: "a divisor of the \(headCount) query heads",
                found: "\(keyValueHeadCount)")
        }
        if let stated = try metadata.optionalSize("head_dim", gguf: "attention.key_length", limit: 1 << 14) {
            headSize = stated
        } else {
            guard hiddenSize % headCount == 0 else {
                throw metadata.illTyped(
                    heads, gguf: ggufHeads, expected: "a divisor of the hidden size, \(hiddenSize)",
                    found: "\(headCount)")
            }
            headSize = hiddenSize / headCount
        }
        let valueSize = try metadata.integer("", gguf: "attention.value_length") ?? headSize
        guard valueSize == headSize || metadata.format == .huggingFace else {
            throw metadata.unsupported(
                "", gguf: "attention.value_length", found: "\(valueSize)", supported: "the key length, \(headSize)")
        }
        self.intermediateSize =
            if let intermediateSize {
                intermediateSize
            } else {
                try metadata.size("intermediate_size", gguf: "feed_forward_length")
            }
    }
}

/// The norms of a family.
public enum DecoderNorm: Sendable, Hashable {
    /// RMS norm.
    case rms(epsilon: Double)
    /// RMS norm whose stored weight is one less than the factor (Gemma). GGUF's converter adds the one.
    case rmsPlusOne(epsilon: Double)
    /// Layer norm with a weight. A bias is read where the checkpoint has one.
    case layer(epsilon: Double)
    /// Layer norm without weights (OLMo).
    case layerWithoutWeights(epsilon: Double)
}

/// Encodes a decoder part by part. A family's `encode` reads as the formula of its layers:
///
/// ```swift
/// var decoder = try DecoderBuilder(model, naming: TensorNaming(), norm: .rms(epsilon: 1e-6))
/// var stream = try decoder.embedding()
/// for layer in 0..<decoder.sizes.layerCount {
///     let attended = try decoder.attention(decoder.norm(stream, .attentionNorm, layer: layer), attention, layer: layer)
///     stream = decoder.add(stream, attended)
///     let fed = try decoder.gatedMLP(decoder.norm(stream, .feedForwardNorm, layer: layer), .silu, layer: layer)
///     stream = decoder.add(stream, fed)
/// }
/// return try decoder.finish(stream)
/// ```
///
/// Widths come from `sizes`; a family may change them before it calls the parts.
public struct DecoderBuilder {
    public let model: ModelSource
    public var sizes: DecoderSizes
    /// The names of this checkpoint's tensors.
    public let naming: TensorNaming
    public let norm: DecoderNorm
    /// Whether Hugging Face checkpoints store the matrices of layers as `[inputSize, outputSize]` (GPT-2).
    public var isTransposed = false
    /// What was encoded so far.
    public var plan = ForwardPlan()
    private var table: MatrixID?
    /// Whether GGUF's converters move the rows of queries and keys: from two halves of a head to neighbours.
    var movesRowsInGGUF = false

    public init(
        _ model: ModelSource, sizes: DecoderSizes? = nil, naming: TensorNaming = TensorNaming(), norm: DecoderNorm
    ) throws(WeightLoadingError) {
        self.model = model
        self.sizes = if let sizes { sizes } else { try DecoderSizes(model.metadata) }
        self.naming = naming.resolved(in: model)
        self.norm = norm
    }

    public var metadata: ModelMetadata { model.metadata }
    public var isGGUF: Bool { metadata.format == .gguf }
}

// MARK: Begin and end

extension DecoderBuilder {
    /// The embeddings of the tokens, multiplied by `scale`.
    public mutating func embedding(scale: Float = 1) throws(WeightLoadingError) -> ValueID {
        var name = naming.weight(.embedding)
        // A tied checkpoint may have the table only under the name of the output matrix.
        if !model.has(name), model.has(naming.weight(.output)) { name = naming.weight(.output) }
        let table = try matrix(name, inputSize: sizes.hiddenSize, outputSize: model.shape.vocabularySize)
        self.table = table
        let stream = plan.addValue(rows: .tokens, width: sizes.hiddenSize)
        plan.append(.embed(table: table, scale: scale, output: stream))
        return stream
    }

    /// `stream` plus a learned vector for each position, of `count` positions. The vector of position `p` is row
    /// `p + offset`.
    public mutating func addingPositions(
        to stream: ValueID, count: Int, offset: Int = 0
    ) throws(WeightLoadingError) -> ValueID {
        let table = try matrix(
            naming.weight(.positionEmbedding), inputSize: sizes.hiddenSize, outputSize: count + offset)
        let positions = plan.addValue(rows: .tokens, width: sizes.hiddenSize)
        plan.append(.embed(table: table, index: .positions(offset: offset), scale: 1, output: positions))
        return add(stream, positions)
    }

    /// The logits of the rows to sample, and the plan. `scale` multiplies the logits.
    public mutating func finish(
        _ stream: ValueID, scale: Double = 1, softCap: Double? = nil, hasBias: Bool = false
    ) throws(WeightLoadingError) -> ForwardPlan {
        guard let table else { preconditionFailure("a decoder without an embedding") }
        // Only the rows to sample need the last norm and the output matrix.
        let sampled = plan.addValue(rows: .samples, width: sizes.hiddenSize)
        plan.append(.gather(input: stream, output: sampled))
        let normed = self.scale(try norm(sampled, .finalNorm), by: scale)
        let output = try outputMatrix(table)
        var bias: VectorID?
        let name = naming.bias(.output)
        if isGGUF ? model.has(name) : hasBias {
            var elements = try model.vector(name, count: model.shape.vocabularySize)
            if scale != 1 { elements = elements.map { $0 * Float(scale) } }
            bias = plan.addVector(name, elements)
        }
        var logits = plan.addValue(rows: .samples, width: model.shape.vocabularySize)
        plan.append(.linear(input: normed, weights: output, bias: bias, output: logits))
        if let softCap {
            let capped = plan.addValue(rows: .samples, width: model.shape.vocabularySize)
            plan.append(.softCap(input: logits, cap: Float(softCap), output: capped))
            logits = capped
        }
        plan.setLogits(logits)
        return plan
    }

    /// The output matrix, or the embedding table where the checkpoint has none of its own. As in transformers, a separate
    /// matrix is used even if the configuration says that it is tied.
    private mutating func outputMatrix(_ table: MatrixID) throws(WeightLoadingError) -> MatrixID {
        let (name, tableName) = (naming.weight(.output), naming.weight(.embedding))
        let isStated = try metadata.bool("tie_word_embeddings") ?? true
        guard model.has(name) || (!isGGUF && !isStated) else { return table }
        // Many tied checkpoints store the table twice.
        if model.tensors.shape(of: name) != nil, model.tensors.shape(of: tableName) != nil,
            try model.tensors.tensor(named: name).hasNumbers(of: try model.tensors.tensor(named: tableName))
        {
            return table
        }
        if plan[table].name == name { return table }
        return try matrix(name, inputSize: sizes.hiddenSize, outputSize: model.shape.vocabularySize)
    }
}

// MARK: Small parts

extension DecoderBuilder {
    /// `input`, normalised row by row with the weights of `part`.
    public mutating func norm(
        _ input: ValueID, _ part: TensorPart, layer: Int = 0
    ) throws(WeightLoadingError) -> ValueID {
        try norm(input, named: naming.module(part, layer: layer), groupSize: plan[input].width)
    }

    /// `input`, normalised in groups of `groupSize` numbers by `kind`. Every group has the same weights, unless
    /// `weightCount` says that there are more.
    public mutating func norm(
        _ input: ValueID, named module: String, groupSize: Int, weightCount: Int? = nil, _ kind: DecoderNorm? = nil
    ) throws(WeightLoadingError) -> ValueID {
        let count = weightCount ?? groupSize
        let output = plan.addValue(rows: plan[input].rows, width: plan[input].width)
        switch kind ?? norm {
        case .rms(let epsilon):
            let weight = plan.addVector(module + ".weight", try flatVector(module + ".weight", count: count))
            plan.append(.rmsNorm(input: input, weight: weight, epsilon: Float(epsilon), output: output))
        case .rmsPlusOne(let epsilon):
            var elements = try flatVector(module + ".weight", count: count)
            if !isGGUF { elements = elements.map { $0 + 1 } }
            let weight = plan.addVector(module + ".weight", elements)
            plan.append(.rmsNorm(input: input, weight: weight, epsilon: Float(epsilon), output: output))
        case .layer(let epsilon):
            let joined = try joinedNorms(module, groupSize: groupSize, count: count)
            let elements = if let joined { joined } else { try flatVector(module + ".weight", count: count) }
            let weight = plan.addVector(module + ".weight", elements)
            var bias: VectorID?
            if model.has(module + ".bias") {
                bias = plan.addVector(module + ".bias", try flatVector(module + ".bias", count: count))
            }
            plan.append(
                .layerNorm(
                    input: input, weight: weight, bias: bias, groupSize: groupSize, epsilon: Float(epsilon),
                    output: output))
        case .layerWithoutWeights(let epsilon):
            plan.append(
                .layerNorm(
                    input: input, weight: nil, bias: nil, groupSize: groupSize, epsilon: Float(epsilon), output: output)
            )
        }
        return output
    }

    /// `input` divided by the root mean square of each group of `groupSize` numbers.
    public mutating func rmsNormWithoutWeights(_ input: ValueID, groupSize: Int, epsilon: Double) -> ValueID {
        let weight = plan.addVector("ones", Array(repeating: 1, count: groupSize))
        let output = plan.addValue(rows: plan[input].rows, width: plan[input].width)
        plan.append(.rmsNorm(input: input, weight: weight, epsilon: Float(epsilon), output: output))
        return output
    }

    /// `left + right * scale`.
    public mutating func add(_ left: ValueID, _ right: ValueID, scale factor: Double = 1) -> ValueID {
        let right = scale(right, by: factor)
        let output = plan.addValue(rows: plan[left].rows, width: plan[left].width)
        plan.append(.add(left: left, right: right, output: output))
        return output
    }

    /// `input * factor`.
    public mutating func scale(_ input: ValueID, by factor: Double) -> ValueID {
        guard factor != 1 else { return input }
        let output = plan.addValue(rows: plan[input].rows, width: plan[input].width)
        plan.append(.scale(input: input, factor: Float(factor), output: output))
        return output
    }

    /// `activation(gate) * up`.
    public mutating func gated(_ gate: ValueID, _ up: ValueID, _ activation: Activation) -> ValueID {
        let output = plan.addValue(rows: plan[gate].rows, width: plan[gate].width)
        plan.append(.gatedActivation(gate: gate, up: up, activation: activation, output: output))
        return output
    }

    /// Columns `offset ..< offset + width` of `input`.
    public mutating func slice(_ input: ValueID, offset: Int, width: Int) -> ValueID {
        let output = plan.addValue(rows: plan[input].rows, width: width)
        plan.append(.slice(input: input, offset: offset, output: output))
        return output
    }
}

// MARK: Weights

extension DecoderBuilder {
    /// `input` times the matrix of `part`, `[width, width of input]`, plus its bias. Where `hasBias` is nil, a bias is added
    /// if the checkpoint has one; in GGUF files always so, as they state it in no other way.
    public mutating func linear(
        _ input: ValueID, _ part: TensorPart, layer: Int = 0, width: Int, hasBias: Bool? = false
    ) throws(WeightLoadingError) -> ValueID {
        let weightName = naming.weight(part, layer: layer)
        let weights = plan.addMatrix(
            weightName, try layerMatrix(weightName, inputSize: plan[input].width, outputSize: width))
        let name = naming.bias(part, layer: layer)
        var bias: VectorID?
        if isGGUF || hasBias == nil ? model.has(name) : hasBias == true {
            bias = plan.addVector(name, try model.vector(name, count: width))
        }
        let isMoved = movesRowsInGGUF && (part == .query || part == .key)
        setAlias(part, layer: layer, rowOrder: isMoved ? headOrder(width: width) : nil)
        return linear(input, weights, bias: bias)
    }

    /// Tells the plan what the weight of `part` is called in the other format, for adapters.
    mutating func setAlias(_ part: TensorPart, layer: Int, rowOrder: [Int]?) {
        guard let other = naming.otherWeight(part, layer: layer) else { return }
        plan.setAlias(
            WeightAlias(weight: other, rowOrder: rowOrder), of: naming.weight(part, layer: layer))
    }

    /// For each of `width` rows of queries or keys, its row in the other format.
    private func headOrder(width: Int) -> [Int] {
        let (size, half) = (sizes.headSize, sizes.headSize / 2)
        return (0..<width).map { row in
            let (start, offset) = (row / size * size, row % size)
            // Of the pair `p`, Hugging Face has the numbers `p` and `half + p`, GGUF `2 * p` and `2 * p + 1`.
            return start + (isGGUF ? offset % 2 * half + offset / 2 : offset % half * 2 + offset / half)
        }
    }

    /// `input` times `weights`, plus `bias`.
    public mutating func linear(_ input: ValueID, _ weights: MatrixID, bias: VectorID? = nil) -> ValueID {
        let output = plan.addValue(rows: plan[input].rows, width: plan[weights].weights.outputSize)
        plan.append(.linear(input: input, weights: weights, bias: bias, output: output))
        return output
    }

    /// The matrix `name`, `[outputSize, inputSize]`.
    public mutating func matrix(
        _ name: String, inputSize: Int, outputSize: Int
    ) throws(WeightLoadingError) -> MatrixID {
        plan.addMatrix(name, try model.linear(name, inputSize: inputSize, outputSize: outputSize))
    }

    /// Marks weight and bias of `part` as tensors that the model has no use for, if the checkpoint has them.
    func skip(_ part: TensorPart, layer: Int) throws(WeightLoadingError) {
        for name in [naming.weight(part, layer: layer), naming.bias(part, layer: layer)]
        where model.tensors.shape(of: name) != nil { _ = try model.tensors.tensor(named: name) }
    }

    /// The matrix `name` of a layer, `[outputSize, inputSize]`, however it is stored.
    func layerMatrix(
        _ name: String, inputSize: Int, outputSize: Int
    ) throws(WeightLoadingError) -> LinearWeights {
        guard isTransposed, !isGGUF else {
            return try model.linear(name, inputSize: inputSize, outputSize: outputSize)
        }
        let stored = try model.linear(name, inputSize: outputSize, outputSize: inputSize)
        guard let transposed = stored.transposed else {
            throw .unsupportedType(
                file: model.tensors.file, tensor: name, type: "quantized and transposed", supported: "dense")
        }
        return transposed
    }

    /// The weights of norms that are stored one for each head (StableLM 2 12B); nil: the checkpoint has no such norms.
    private func joinedNorms(
        _ module: String, groupSize: Int, count: Int
    ) throws(WeightLoadingError) -> [Float]? {
        func name(_ head: Int) -> String { "\(module).norms.\(head).weight" }
        guard !isGGUF, model.has(name(0)) else { return nil }
        var weights: [Float] = []
        for head in 0..<count / groupSize { weights += try model.vector(name(head), count: groupSize) }
        return weights
    }

    /// The vector `name` of `count` numbers, which may be stored in another shape, such as a row a head.
    func flatVector(_ name: String, count: Int) throws(WeightLoadingError) -> [Float] {
        guard let shape = model.tensors.shape(of: name), shape != [count], shape.reduce(1, *) == count else {
            return try model.vector(name, count: count)
        }
        return try model.tensors.tensor(named: name).floats()
    }
}
