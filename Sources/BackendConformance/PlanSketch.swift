import Backends
import SharedValues
import Tensors

/// Builds small random plans, whose inputs are rows of embedding tables and whose results are gathered at every token.
struct PlanSketch {
    static let vocabularySize = 97

    private(set) var plan = ForwardPlan()
    var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// A random matrix with rows of about unit length times `bound`.
    mutating func matrix(_ name: String, _ outputSize: Int, _ inputSize: Int, _ type: ElementType, bound: Float? = nil)
        -> MatrixID
    {
        let numbers = random.floats(outputSize * inputSize, bound: bound ?? (3 / Float(inputSize)).squareRoot())
        let tensor = HostTensor(numbers, shape: [outputSize, inputSize], as: type)
        return plan.addMatrix(name, .dense(tensor))
    }

    mutating func add(_ name: String, _ weights: LinearWeights) -> MatrixID { plan.addMatrix(name, weights) }

    /// A random vector around `center`.
    mutating func vector(_ name: String, _ count: Int, around center: Float) -> VectorID {
        plan.addVector(name, random.floats(count, bound: 0.5).map { $0 + center })
    }

    /// Random rows that depend on the token alone.
    mutating func input(_ width: Int, bound: Float = 1) -> ValueID {
        let table = matrix("input", Self.vocabularySize, width, .f32, bound: bound)
        return embed(table, width)
    }

    mutating func embed(_ table: MatrixID, _ width: Int, scale: Float = 1) -> ValueID {
        let output = value(width)
        plan.append(.embed(table: table, scale: scale, output: output))
        return output
    }

    mutating func value(_ width: Int, rows: PlanRows = .tokens) -> ValueID {
        plan.addValue(rows: rows, width: width)
    }

    mutating func norm(_ input: ValueID, groupSize: Int? = nil, epsilon: Float = 1e-5) -> ValueID {
        let weight = vector("norm", groupSize ?? plan[input].width, around: 1)
        let output = value(plan[input].width, rows: plan[input].rows)
        plan.append(.rmsNorm(input: input, weight: weight, epsilon: epsilon, output: output))
        return output
    }

    /// Rows of `table` at the tokens' positions plus `offset`.
    mutating func embedPositions(_ table: MatrixID, offset: Int) -> ValueID {
        let output = value(plan[table].weights.inputSize)
        plan.append(.embed(table: table, index: .positions(offset: offset), scale: 1, output: output))
        return output
    }

    /// A layer norm with a weight and a bias of so many numbers each; 0: none.
    mutating func layerNorm(
        _ input: ValueID, groupSize: Int? = nil, weightCount: Int, biasCount: Int, epsilon: Float = 1e-5
    ) -> ValueID {
        let weight = weightCount == 0 ? nil : vector("norm", weightCount, around: 1)
        let bias = biasCount == 0 ? nil : vector("norm bias", biasCount, around: 0)
        let output = value(plan[input].width, rows: plan[input].rows)
        plan.append(
            .layerNorm(
                input: input, weight: weight, bias: bias, groupSize: groupSize ?? plan[input].width, epsilon: epsilon,
                output: output))
        return output
    }

    /// A layer norm over the whole row with weight and bias.
    mutating func layerNorm(_ input: ValueID) -> ValueID {
        layerNorm(input, weightCount: plan[input].width, biasCount: plan[input].width)
    }

    mutating func linear(_ input: ValueID, _ outputSize: Int, _ type: ElementType, bias: Bool = false) -> ValueID {
        let weights = matrix("linear", outputSize, plan[input].width, type)
        return linear(input, weights, bias: bias ? vector("bias", outputSize, around: 0) : nil)
    }

    mutating func linear(_ input: ValueID, _ weights: MatrixID, bias: VectorID? = nil) -> ValueID {
        let output = value(plan[weights].weights.outputSize, rows: plan[input].rows)
        plan.append(.linear(input: input, weights: weights, bias: bias, output: output))
        return output
    }

    mutating func route(
        _ logits: ValueID, _ routing: ExpertRouting, bias: VectorID? = nil, factors: VectorID? = nil
    ) -> ValueID {
        let output = value(routing.routeWidth, rows: plan[logits].rows)
        plan.append(.route(logits: logits, bias: bias, factors: factors, routing: routing, output: output))
        return output
    }

    mutating func selectedLinear(
        _ input: ValueID, _ name: String, _ matrices: [LinearWeights], hasBias: Bool, _ routes: ValueID
    ) -> ValueID {
        let set = plan.addMatrixSet(name, matrices)
        let bias = hasBias ? vector("\(name) bias", matrices.count * plan[set].outputSize, around: 0) : nil
        let output = value(plan[routes].width / 2 * plan[set].outputSize, rows: plan[input].rows)
        plan.append(.selectedLinear(input: input, set: set, bias: bias, selector: .routes(routes), output: output))
        return output
    }

    mutating func weightedSum(_ input: ValueID, _ routes: ValueID) -> ValueID {
        let output = value(plan[input].width / (plan[routes].width / 2), rows: plan[input].rows)
        plan.append(.weightedSum(input: input, routes: routes, output: output))
        return output
    }

    mutating func rotary(_ input: ValueID, headSize: Int, _ rotary: RotaryEmbedding) -> ValueID {
        let output = value(plan[input].width)
        plan.append(.rotaryEmbedding(input: input, headSize: headSize, rotary: rotary, output: output))
        return output
    }

    mutating func gated(_ gate: ValueID, _ up: ValueID, _ activation: Activation) -> ValueID {
        let output = value(plan[gate].width, rows: plan[gate].rows)
        plan.append(.gatedActivation(gate: gate, up: up, activation: activation, output: output))
        return output
    }

    mutating func activation(_ input: ValueID, _ activation: PointwiseActivation) -> ValueID {
        let output = value(plan[input].width, rows: plan[input].rows)
        plan.append(.activation(input: input, activation: activation, output: output))
        return output
    }

    mutating func scale(_ input: ValueID, by factor: Float) -> ValueID {
        let output = value(plan[input].width, rows: plan[input].rows)
        plan.append(.scale(input: input, factor: factor, output: output))
        return output
    }

    mutating func positionScale(_ input: ValueID, beta: Float, originalLength: Int) -> ValueID {
        let output = value(plan[input].width)
        plan.append(.positionScale(input: input, beta: beta, originalLength: originalLength, output: output))
        return output
    }

    mutating func slice(_ input: ValueID, _ columns: Range<Int>) -> ValueID {
        let output = value(columns.count, rows: plan[input].rows)
        plan.append(.slice(input: input, offset: columns.lowerBound, output: output))
        return output
    }

    mutating func concatHeads(
        _ first: HeadColumns, _ second: HeadColumns? = nil, headCount: Int, headSize: Int
    ) -> ValueID {
        let output = value(headCount * headSize, rows: plan[first.input].rows)
        plan.append(.concatHeads(first: first, second: second, headCount: headCount, output: output))
        return output
    }

    mutating func add(_ left: ValueID, _ right: ValueID) -> ValueID {
        let output = value(plan[left].width, rows: plan[left].rows)
        plan.append(.add(left: left, right: right, output: output))
        return output
    }

    mutating func softCap(_ input: ValueID, cap: Float) -> ValueID {
        let output = value(plan[input].width, rows: plan[input].rows)
        plan.append(.softCap(input: input, cap: cap, output: output))
        return output
    }

    mutating func gather(_ input: ValueID) -> ValueID {
        let output = value(plan[input].width, rows: .samples)
        plan.append(.gather(input: input, output: output))
        return output
    }

    /// Writes keys and values to a new layer and attends to it.
    mutating func attention(
        query: ValueID, key: ValueID, value stored: ValueID, headSize: Int, _ shape: AttentionShape
    ) -> ValueID {
        attention(query: query, layer: write(key: key, value: stored, headSize: headSize), shape)
    }

    /// Writes keys and values to a new layer, and returns its number.
    mutating func write(key: ValueID, value: ValueID, headSize: Int) -> Int {
        let heads = plan[key].width / headSize
        let layer = plan.addCacheLayer(CacheLayer(keyValueHeadCount: heads, headSize: headSize))
        plan.append(.writeKV(layer: layer, key: key, value: value))
        return layer
    }

    /// Attends to a layer that was written before.
    mutating func attention(query: ValueID, layer: Int, _ shape: AttentionShape) -> ValueID {
        let output = value(plan[query].width)
        plan.append(.pagedAttention(layer: layer, query: query, attention: shape, output: output))
        return output
    }

    /// The plan whose logits are `result`, gathered first if it has a row for each token.
    consuming func finished(_ result: ValueID) -> ForwardPlan {
        let samples = plan[result].rows == .samples ? result : gather(result)
        plan.setLogits(samples)
        return plan
    }
}
