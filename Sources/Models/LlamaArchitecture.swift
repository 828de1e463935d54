public import Backends
public import Weights

/// Llama 2 and 3, SmolLM2, Mistral: pre-norm decoder, rotary positions, grouped-query attention, SwiGLU
/// (Touvron et al., arXiv 2302.13971 and 2307.09288).
public struct LlamaArchitecture: ModelArchitecture {
    public init() {}

    public var names: [String] { ["LlamaForCausalLM", "MistralForCausalLM", "llama"] }

    /// Throws `unsupported` for other activations than SiLU and for unknown rotary scalings, or an error of `loader`.
    public func encode(
        _ configuration: ModelConfiguration, from source: any TensorSource, loader: any WeightLoader
    ) throws(WeightLoadingError) -> ForwardPlan {
        guard configuration.hiddenActivation == "silu" else {
            throw .unsupported(
                file: configuration.file, key: "hidden_act", found: configuration.hiddenActivation, supported: "silu")
        }
        var encoder = try LlamaEncoder(configuration, source: source, loader: loader)
        return try encoder.encode()
    }
}

/// The state of one encoding.
private struct LlamaEncoder {
    private let configuration: ModelConfiguration
    private let source: any TensorSource
    private let loader: any WeightLoader
    private let names: TensorNames
    private let rotary: RotaryEmbedding
    private var plan = ForwardPlan()

    private var queryWidth: Int { configuration.headCount * configuration.headSize }
    private var keyValueWidth: Int { configuration.keyValueHeadCount * configuration.headSize }

    init(
        _ configuration: ModelConfiguration, source: any TensorSource, loader: any WeightLoader
    ) throws(WeightLoadingError) {
        self.configuration = configuration
        self.source = source
        self.loader = loader
        names = TensorNames(configuration.format)
        var divisors: [Float]?
        if let name = names.rotaryDivisors, loader.has(name, in: source) {
            let elements = try loader.vector(name, count: configuration.rotary.rotarySize / 2, from: source)
            guard elements.allSatisfy({ $0 > 0 && $0.isFinite }) else {
                throw .malformedTensor(file: source.file, tensor: name, reason: "a divisor is not a positive number")
            }
            divisors = elements
        }
        guard let frequencies = configuration.rotary.frequencies(divisors: divisors) else {
            guard case .other(let found) = configuration.rotary.scaling else {
                preconditionFailure("only an unknown scaling has no frequencies")
            }
            throw .unsupported(
                file: configuration.file, key: "rope_type", found: found, supported: "default, linear, llama3")
        }
        // GGUF's converter permutes the rows of Llama's query and key matrices so that neighbours form a pair.
        rotary = RotaryEmbedding(
            frequencies: frequencies, pairing: configuration.format == .gguf ? .interleaved : .halves)
    }

    mutating func encode() throws(WeightLoadingError) -> ForwardPlan {
        let table = try matrix(
            names.embedding, inputSize: configuration.hiddenSize, outputSize: configuration.vocabularySize)
        var stream = plan.addValue(rows: .tokens, width: configuration.hiddenSize)
        plan.append(.embed(table: table, scale: 1, output: stream))
        for layer in 0..<configuration.layerCount {
            stream = try attention(stream, layer: layer)
            stream = try feedForward(stream, layer: layer)
        }
        // Only the rows to sample need the last norm and the output matrix.
        let sampled = plan.addValue(rows: .samples, width: configuration.hiddenSize)
        plan.append(.gather(input: stream, output: sampled))
        let normed = try norm(sampled, names.finalNorm)
        let output =
            configuration.tieWordEmbeddings
            ? table
            : try matrix(names.output, inputSize: configuration.hiddenSize, outputSize: configuration.vocabularySize)
        let logits = plan.addValue(rows: .samples, width: configuration.vocabularySize)
        plan.append(.linear(input: normed, weights: output, bias: nil, output: logits))
        plan.setLogits(logits)
        return plan
    }

    private mutating func attention(_ input: ValueID, layer: Int) throws(WeightLoadingError) -> ValueID {
        let hasBias = configuration.attentionBias
        let normed = try norm(input, names.weight(.attentionNorm, layer: layer))
        let query = try linear(normed, .query, layer, width: queryWidth, hasBias: hasBias)
        let key = try linear(normed, .key, layer, width: keyValueWidth, hasBias: hasBias)
        let value = try linear(normed, .value, layer, width: keyValueWidth, hasBias: hasBias)
        let rotatedQuery = rotated(query)
        let rotatedKey = rotated(key)
        let cache = plan.addCacheLayer(
            CacheLayer(keyValueHeadCount: configuration.keyValueHeadCount, headSize: configuration.headSize))
        plan.append(.writeKV(layer: cache, key: rotatedKey, value: value))
        let attended = plan.addValue(rows: .tokens, width: queryWidth)
        let shape = AttentionShape(
            queryHeadCount: configuration.headCount, scale: 1 / Float(configuration.headSize).squareRoot(),
            slidingWindow: configuration.layersWithoutWindow.contains(layer) ? nil : configuration.slidingWindow)
        plan.append(.pagedAttention(layer: cache, query: rotatedQuery, attention: shape, output: attended))
        let projected = try linear(
            attended, .attentionOutput, layer, width: configuration.hiddenSize, hasBias: hasBias)
        return added(input, projected)
    }

    private mutating func feedForward(_ input: ValueID, layer: Int) throws(WeightLoadingError) -> ValueID {
        let hasBias = configuration.mlpBias
        let normed = try norm(input, names.weight(.feedForwardNorm, layer: layer))
        let gate = try linear(normed, .gate, layer, width: configuration.intermediateSize, hasBias: hasBias)
        let up = try linear(normed, .up, layer, width: configuration.intermediateSize, hasBias: hasBias)
        let gated = plan.addValue(rows: .tokens, width: configuration.intermediateSize)
        plan.append(.gatedActivation(gate: gate, up: up, activation: .silu, output: gated))
        return added(input, try linear(gated, .down, layer, width: configuration.hiddenSize, hasBias: hasBias))
    }

    private mutating func norm(_ input: ValueID, _ name: String) throws(WeightLoadingError) -> ValueID {
        let elements = try loader.vector(name, count: configuration.hiddenSize, from: source)
        let weight = plan.addVector(name, elements)
        let output = plan.addValue(rows: plan[input].rows, width: configuration.hiddenSize)
        plan.append(
            .rmsNorm(input: input, weight: weight, epsilon: Float(configuration.normEpsilon), output: output))
        return output
    }

    private mutating func linear(
        _ input: ValueID, _ part: TensorNames.Part, _ layer: Int, width: Int, hasBias: Bool
    ) throws(WeightLoadingError) -> ValueID {
        let weights = try matrix(
            names.weight(part, layer: layer), inputSize: plan[input].width, outputSize: width)
        let biasName = names.bias(part, layer: layer)
        var bias: VectorID?
        // Hugging Face's flag applies to every projection of the block; GGUF has no flag, only the tensors.
        if configuration.format == .gguf ? loader.has(biasName, in: source) : hasBias {
            bias = plan.addVector(biasName, try loader.vector(biasName, count: width, from: source))
        }
        let output = plan.addValue(rows: .tokens, width: width)
        plan.append(.linear(input: input, weights: weights, bias: bias, output: output))
        return output
    }

    private mutating func matrix(
        _ name: String, inputSize: Int, outputSize: Int
    ) throws(WeightLoadingError) -> MatrixID {
        plan.addMatrix(
            name, try loader.linear(name, inputSize: inputSize, outputSize: outputSize, from: source))
    }

    private mutating func rotated(_ input: ValueID) -> ValueID {
        let output = plan.addValue(rows: .tokens, width: plan[input].width)
        plan.append(
            .rotaryEmbedding(input: input, headSize: configuration.headSize, rotary: rotary, output: output))
        return output
    }

    private mutating func added(_ left: ValueID, _ right: ValueID) -> ValueID {
        let output = plan.addValue(rows: .tokens, width: plan[left].width)
        plan.append(.add(left: left, right: right, output: output))
        return output
    }
}
