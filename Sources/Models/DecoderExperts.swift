public import Backends
internal import Tensors
public import Weights

/// The feed-forward block of a layer with experts: a router chooses some of them for each token. Experts that all tokens
/// share may stand beside them.
///
/// ```swift
/// let experts = DecoderExperts(
///     routing: ExpertRouting(expertCount: 128, choiceCount: 8, scoring: .softmax, isNormalized: true),
///     intermediateSize: 768, activation: .silu)
/// let fed = try decoder.experts(normed, experts, layer: layer)
/// ```
public struct DecoderExperts: Sendable {
    /// Experts that every token is multiplied with, as one MLP.
    public struct Shared: Sendable {
        public var intermediateSize: Int
        /// Whether `sigmoid(router · x)` multiplies their output (Qwen2-MoE).
        public var isGated: Bool

        public init(intermediateSize: Int, isGated: Bool = false) {
            self.intermediateSize = intermediateSize
            self.isGated = isGated
        }
    }

    public var routing: ExpertRouting
    /// Width inside of an expert.
    public var intermediateSize: Int
    public var activation: Activation
    /// Whether a bias is added to the router's scores for the choice only.
    public var hasChoiceBias: Bool
    public var shared: Shared?
    /// Whether the router and the matrices of experts have biases in Hugging Face checkpoints. GGUF files state none: there,
    /// tensors that exist count.
    public var hasBias = false
    /// Whether a tensor for gate and up has their rows in turn in Hugging Face checkpoints; else those of gate come first.
    public var isInterleaved = false
    /// Whether Hugging Face checkpoints store dense matrices as `[inputSize, outputSize]`.
    public var isTransposed = false
    /// Whether the weight of each expert has a factor.
    public var hasFactors = false

    public init(
        routing: ExpertRouting, intermediateSize: Int, activation: Activation, hasChoiceBias: Bool = false,
        shared: Shared? = nil
    ) {
        self.routing = routing
        self.intermediateSize = intermediateSize
        self.activation = activation
        self.hasChoiceBias = hasChoiceBias
        self.shared = shared
    }
}

extension DecoderBuilder {
    /// `Σ weight * expert(input)` over the experts that the router chooses, plus the shared ones. The router reads `input`
    /// unless it has an input of its own.
    public mutating func experts(
        _ input: ValueID, routerInput: ValueID? = nil, _ experts: DecoderExperts, layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        let routes = try routes(of: routerInput ?? input, experts, layer: layer)
        let width = plan[input].width
        let (gates, ups) = try gateAndUp(experts, inputSize: width, layer: layer)
        let products = gated(
            selectedLinear(input, gates, routes), selectedLinear(input, ups, routes), experts.activation)
        let downs = try expertMatrices(
            .expertDown, experts, inputSize: experts.intermediateSize, outputSize: width, layer: layer)
        let output = weightedSum(selectedLinear(products, downs, routes), routes)
        guard let shared = experts.shared else { return output }
        return add(output, try sharedExperts(input, shared, experts.activation, layer: layer))
    }

    /// The experts of each row of `input`, and their weights.
    private mutating func routes(
        of input: ValueID, _ experts: DecoderExperts, layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        let count = experts.routing.expertCount
        let name = naming.weight(.router, layer: layer)
        let weights = try layerMatrix(name, inputSize: plan[input].width, outputSize: count)
        try requireFinite(weights, name)
        var routerBias: VectorID?
        let biasName = naming.bias(.router, layer: layer)
        if isGGUF ? model.has(biasName) : experts.hasBias { routerBias = try expertVector(biasName, count) }
        let logits = linear(input, plan.addMatrix(name, weights), bias: routerBias)
        var bias: VectorID?
        if experts.hasChoiceBias {
            bias = try expertVector(
                isGGUF ? naming.bias(.choiceBias, layer: layer) : naming.module(.choiceBias, layer: layer), count)
        }
        let factors = experts.hasFactors ? try expertVector(naming.weight(.expertFactors, layer: layer), count) : nil
        return route(logits, experts.routing, bias: bias, factors: factors)
    }

    /// A vector with a number for each expert. Throws `malformedTensor` where one is not finite.
    private mutating func expertVector(_ name: String, _ count: Int) throws(WeightLoadingError) -> VectorID {
        let elements = try flatVector(name, count: count)
        if let expert = elements.firstIndex(where: { !$0.isFinite }) {
            throw .malformedTensor(
                file: model.tensors.file, tensor: name, reason: "the number of expert \(expert) is \(elements[expert])")
        }
        return plan.addVector(name, elements)
    }

    /// Throws `malformedTensor` where a number of a router's matrix is not finite: experts would be chosen at random.
    private func requireFinite(_ weights: LinearWeights, _ name: String) throws(WeightLoadingError) {
        let numbers =
            switch weights {
            case .dense(let tensor): tensor.floats()
            case .quantized(let matrix): matrix.dequantized().floats()
            }
        guard let index = numbers.firstIndex(where: { !$0.isFinite }) else { return }
        throw .malformedTensor(
            file: model.tensors.file, tensor: name,
            reason: "row \(index / weights.inputSize) of the router has the number \(numbers[index])")
    }

    private mutating func sharedExperts(
        _ input: ValueID, _ shared: DecoderExperts.Shared, _ activation: Activation, layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        let gate = try linear(input, .sharedGate, layer: layer, width: shared.intermediateSize)
        let up = try linear(input, .sharedUp, layer: layer, width: shared.intermediateSize)
        let width = plan[input].width
        let output = try linear(gated(gate, up, activation), .sharedDown, layer: layer, width: width)
        guard shared.isGated else { return output }
        // A router of one expert weighs it.
        let name = naming.weight(.sharedRouter, layer: layer)
        let row = HostTensor(try model.vector(name, count: width), shape: [1, width])
        let logit = linear(input, plan.addMatrix(name, .dense(row)))
        let routing = ExpertRouting(expertCount: 1, choiceCount: 1, scoring: .sigmoid, isNormalized: false)
        return weightedSum(output, route(logit, routing))
    }

    private mutating func route(
        _ logits: ValueID, _ routing: ExpertRouting, bias: VectorID? = nil, factors: VectorID? = nil
    ) -> ValueID {
        let routes = plan.addValue(rows: plan[logits].rows, width: routing.routeWidth)
        plan.append(.route(logits: logits, bias: bias, factors: factors, routing: routing, output: routes))
        return routes
    }

    private mutating func weightedSum(_ input: ValueID, _ routes: ValueID) -> ValueID {
        let output = plan.addValue(rows: plan[input].rows, width: plan[input].width / (plan[routes].width / 2))
        plan.append(.weightedSum(input: input, routes: routes, output: output))
        return output
    }

    /// `input` times the matrices of the experts that `routes` names, `[width, inputSize]` each.
    private mutating func selectedLinear(_ input: ValueID, _ experts: ExpertMatrices, _ routes: ValueID) -> ValueID {
        let set = plan.addMatrixSet(experts.name, experts.matrices)
        let bias = experts.bias.map { plan.addVector("\(experts.name) bias", $0) }
        let output = plan.addValue(rows: plan[input].rows, width: plan[routes].width / 2 * plan[set].outputSize)
        plan.append(.selectedLinear(input: input, set: set, bias: bias, selector: .routes(routes), output: output))
        return output
    }
}

// MARK: Matrices

/// A matrix for each expert, and the biases of all, `[experts, outputSize]`.
private struct ExpertMatrices {
    let name: String
    var matrices: [LinearWeights]
    var bias: [Float]?
}

extension DecoderBuilder {
    /// The matrices of gate and up, which may be rows of one tensor.
    private mutating func gateAndUp(
        _ experts: DecoderExperts, inputSize: Int, layer: Int
    ) throws(WeightLoadingError) -> (gate: ExpertMatrices, up: ExpertMatrices) {
        let width = experts.intermediateSize
        let isFused =
            isGGUF ? model.has(naming.weight(.expertGateUp, layer: layer)) : naming.has(.expertGateUp)
        guard isFused else {
            return (
                try expertMatrices(.expertGate, experts, inputSize: inputSize, outputSize: width, layer: layer),
                try expertMatrices(.expertUp, experts, inputSize: inputSize, outputSize: width, layer: layer)
            )
        }
        let whole = try expertMatrices(
            .expertGateUp, experts, inputSize: inputSize, outputSize: 2 * width, layer: layer)
        // GGUF's converters sort the rows.
        let isInterleaved = experts.isInterleaved && !isGGUF
        func half(_ part: Int) -> ExpertMatrices {
            var half = whole
            half.matrices = whole.matrices.map {
                isInterleaved
                    ? $0.selectingRows(from: part, by: 2) : $0.selectingRows([part * width..<(part + 1) * width])
            }
            half.bias = whole.bias.map { bias in
                (0..<experts.routing.expertCount * width).map { index in
                    let (expert, row) = index.quotientAndRemainder(dividingBy: width)
                    return bias[expert * 2 * width + (isInterleaved ? 2 * row + part : part * width + row)]
                }
            }
            return half
        }
        return (half(0), half(1))
    }

    /// The matrices of `part`, `[outputSize, inputSize]` each: tensors of their own, whose names have the expert's number in
    /// the place of `*`, or one tensor `[experts, outputSize, inputSize]`.
    private mutating func expertMatrices(
        _ part: TensorPart, _ experts: DecoderExperts, inputSize: Int, outputSize: Int, layer: Int
    ) throws(WeightLoadingError) -> ExpertMatrices {
        let (name, count) = (naming.weight(part, layer: layer), experts.routing.expertCount)
        var result = ExpertMatrices(name: name, matrices: [])
        if name.contains("*") {
            for expert in 0..<count {
                let parts = name.split(separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
                result.matrices.append(
                    try model.linear(
                        parts.joined(separator: "\(expert)"), inputSize: inputSize, outputSize: outputSize))
            }
        } else if experts.isTransposed, !isGGUF, model.tensors.shape(of: name) != nil {
            let stacked = try model.stacked(name, count: count, inputSize: outputSize, outputSize: inputSize)
            for expert in 0..<count {
                let stored = stacked.selectingRows([expert * inputSize..<(expert + 1) * inputSize])
                if let matrix = stored.transposed { result.matrices.append(matrix) }
            }
        } else {
            let stacked = try model.stacked(name, count: count, inputSize: inputSize, outputSize: outputSize)
            for expert in 0..<count {
                result.matrices.append(stacked.selectingRows([expert * outputSize..<(expert + 1) * outputSize]))
            }
        }
        let biasName = naming.bias(part, layer: layer)
        if isGGUF ? model.has(biasName) : experts.hasBias {
            result.bias = try flatVector(biasName, count: count * outputSize)
        }
        result.matrices = inOneOrder(result.matrices, name)
        return result
    }

    /// `matrices` with their columns in the order of the inputs. A set's matrices read one input, so those whose columns have
    /// an order of their own become dense, all of them, as a set has one layout.
    private mutating func inOneOrder(_ matrices: [LinearWeights], _ name: String) -> [LinearWeights] {
        guard matrices.contains(where: { $0.inputOrder != nil }) else { return matrices }
        let dense = matrices.map { matrix -> LinearWeights in
            guard case .quantized(let quantized) = matrix else { return matrix }
            return .dense(quantized.dequantized(as: quantized.computeType))
        }
        let (from, to) = (matrices.reduce(0) { $0 + $1.byteCount }, dense.reduce(0) { $0 + $1.byteCount })
        plan.addWarning(
            "\(name) is dequantized, \(to) bytes for \(from): each of its experts has an order of inputs of its own "
                + "(desc_act)")
        return dense
    }
}

extension ModelMetadata {
    /// How many experts a layer has, and how many of them a token. `keys` are the names of the first number in
    /// `config.json`, `choices` is that of the second. Throws `missingKey` or `illTypedKey`.
    func routing(
        _ keys: [String], choices choiceKey: String = "num_experts_per_tok",
        scoring: ExpertRouting.Scoring = .softmax, groups: ExpertRouting.Groups? = nil, isNormalized: Bool,
        scale: Double = 1
    ) throws(WeightLoadingError) -> ExpertRouting {
        let key = keys.first { has($0) } ?? keys[0]
        let count = try size(key, gguf: "expert_count", limit: 1 << 14)
        let choices = try size(choiceKey, gguf: "expert_used_count", limit: 1 << 14)
        guard choices <= count else {
            throw illTyped(
                choiceKey, gguf: "expert_used_count", expected: "at most the \(count) experts", found: "\(choices)")
        }
        if let groups {
            guard count % groups.count == 0, (1...groups.count).contains(groups.chosenCount),
                count / groups.count >= groups.scoreCount, choices <= groups.chosenCount * (count / groups.count)
            else {
                throw illTyped(
                    "n_group", gguf: "expert_group_count", expected: "groups of which some have \(choices) experts",
                    found: "\(groups.chosenCount) of \(groups.count) groups of \(count) experts")
            }
        }
        return ExpertRouting(
            expertCount: count, choiceCount: choices, scoring: scoring, groups: groups, isNormalized: isNormalized,
            scale: Float(scale))
    }
}

extension ModelMetadata {
    /// How many experts all tokens share; 0 where it is not stated. Throws `illTypedKey`.
    func sharedExpertCount(_ key: String) throws(WeightLoadingError) -> Int {
        let count = try integer(key, gguf: "expert_shared_count") ?? 0
        guard (0...256).contains(count) else {
            throw illTyped(key, gguf: "expert_shared_count", expected: "an integer from 0 to 256", found: "\(count)")
        }
        return count
    }
}

extension ModelSource {
    /// The matrices `[count, outputSize, inputSize]` of one tensor as one of `count * outputSize` rows.
    func stacked(
        _ name: String, count: Int, inputSize: Int, outputSize: Int
    ) throws(WeightLoadingError) -> LinearWeights {
        try loader.linear(
            name, inputSize: inputSize, outputSize: count * outputSize,
            from: StackedSource(tensors, name, shape: [count, outputSize, inputSize]))
    }
}

/// A source in which the first two extents of a tensor, or of the parts that a quantized one is stored as, are one.
private struct StackedSource: TensorSource {
    private let source: any TensorSource
    private let name: String
    private let shape: [Int]

    init(_ source: any TensorSource, _ name: String, shape: [Int]) {
        self.source = source
        self.name = name
        self.shape = shape
    }

    var file: String { source.file }
    var tensorNames: [String] { source.tensorNames }
    var byteCount: Int { source.byteCount }

    func shape(of name: String) -> [Int]? { source.shape(of: name).map { isStacked(name) ? flat($0) : $0 } }

    func tensor(named name: String) throws(WeightLoadingError) -> StoredTensor {
        let tensor = try source.tensor(named: name)
        guard isStacked(name) else { return tensor }
        // Parts have extents of their own behind the first two.
        let expected = name == self.name ? shape : Array(shape.prefix(2) + tensor.shape.dropFirst(2))
        guard tensor.shape == expected, expected.count > 2 else {
            throw .shapeMismatch(file: tensor.file, tensor: name, expected: expected, found: tensor.shape)
        }
        return tensor.reshaped(flat(tensor.shape))
    }

    private func isStacked(_ name: String) -> Bool { name == self.name || name.hasPrefix(self.name + "_") }

    private func flat(_ shape: [Int]) -> [Int] {
        shape.count > 2 ? [shape[0] * shape[1]] + shape.dropFirst(2) : shape
    }
}
