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
    /// `Σ weight * expert(input)` over the experts that the router chooses, plus the shared ones.
    public mutating func experts(
        _ input: ValueID, _ experts: DecoderExperts, layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        let (width, inner) = (plan[input].width, experts.intermediateSize)
        let logits = try linear(input, .router, layer: layer, width: experts.routing.expertCount)
        var bias: VectorID?
        if experts.hasChoiceBias {
            let name = isGGUF ? naming.bias(.choiceBias, layer: layer) : naming.module(.choiceBias, layer: layer)
            bias = plan.addVector(name, try flatVector(name, count: experts.routing.expertCount))
        }
        let routes = route(logits, experts.routing, bias: bias)
        let gate = try selectedLinear(input, .expertGate, layer: layer, width: inner, experts.routing, routes)
        let up = try selectedLinear(input, .expertUp, layer: layer, width: inner, experts.routing, routes)
        let products = try selectedLinear(
            gated(gate, up, experts.activation), .expertDown, layer: layer, width: width, experts.routing, routes)
        let output = weightedSum(products, routes)
        guard let shared = experts.shared else { return output }
        return add(output, try sharedExperts(input, shared, experts.activation, layer: layer))
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

    private mutating func route(_ logits: ValueID, _ routing: ExpertRouting, bias: VectorID? = nil) -> ValueID {
        let routes = plan.addValue(rows: plan[logits].rows, width: routing.routeWidth)
        plan.append(.route(logits: logits, bias: bias, factors: nil, routing: routing, output: routes))
        return routes
    }

    private mutating func weightedSum(_ input: ValueID, _ routes: ValueID) -> ValueID {
        let output = plan.addValue(rows: plan[input].rows, width: plan[input].width / (plan[routes].width / 2))
        plan.append(.weightedSum(input: input, routes: routes, output: output))
        return output
    }

    /// `input` times the matrices of the experts that `routes` names, `[width, inputSize]` each.
    private mutating func selectedLinear(
        _ input: ValueID, _ part: TensorPart, layer: Int, width: Int, _ routing: ExpertRouting, _ routes: ValueID
    ) throws(WeightLoadingError) -> ValueID {
        // Only the second product has an input of its own for each expert.
        let inputSize = part == .expertDown ? plan[input].width / routing.choiceCount : plan[input].width
        let isFused = !isGGUF && part != .expertDown && naming.has(.expertGateUp)
        let name = naming.weight(isFused ? .expertGateUp : part, layer: layer)
        var matrices = try expertMatrices(
            name, count: routing.expertCount, inputSize: inputSize, outputSize: isFused ? 2 * width : width)
        if isFused {
            let first = part == .expertGate ? 0 : width
            matrices = matrices.map { $0.selectingRows([first..<first + width]) }
        }
        let set = plan.addMatrixSet(name, matrices)
        let output = plan.addValue(rows: plan[input].rows, width: routing.choiceCount * width)
        plan.append(.selectedLinear(input: input, set: set, bias: nil, selector: .routes(routes), output: output))
        return output
    }

    /// A matrix for each expert: tensors of their own, whose names have the expert's number in the place of `*`, or one
    /// tensor `[count, outputSize, inputSize]`.
    private func expertMatrices(
        _ name: String, count: Int, inputSize: Int, outputSize: Int
    ) throws(WeightLoadingError) -> [LinearWeights] {
        var matrices: [LinearWeights] = []
        if name.contains("*") {
            for expert in 0..<count {
                let parts = name.split(separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
                matrices.append(
                    try model.linear(
                        parts.joined(separator: "\(expert)"), inputSize: inputSize, outputSize: outputSize))
            }
        } else {
            let stacked = try model.stacked(name, count: count, inputSize: inputSize, outputSize: outputSize)
            for expert in 0..<count {
                matrices.append(stacked.selectingRows([expert * outputSize..<(expert + 1) * outputSize]))
            }
        }
        // A set's matrices read one input, so their columns cannot be in orders of their own.
        return matrices.map { matrix in
            guard case .quantized(let quantized) = matrix, quantized.inputOrder != nil else { return matrix }
            return .dense(quantized.dequantized(as: quantized.computeType))
        }
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

/// A source of which one tensor's first two extents are one.
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

    func shape(of name: String) -> [Int]? { source.shape(of: name).map { name == self.name ? flat($0) : $0 } }

    func tensor(named name: String) throws(WeightLoadingError) -> StoredTensor {
        let tensor = try source.tensor(named: name)
        guard name == self.name else { return tensor }
        guard tensor.shape == shape else {
            throw .shapeMismatch(file: tensor.file, tensor: name, expected: shape, found: tensor.shape)
        }
        return tensor.reshaped(flat(tensor.shape))
    }

    private func flat(_ shape: [Int]) -> [Int] {
        shape.count == 3 ? [shape[0] * shape[1], shape[2]] : shape
    }
}
