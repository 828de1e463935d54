import Backends

/// What the device does as one piece: an operation of the plan, or neighbours fused.
enum FusedOperation: Hashable {
    case embed(table: MatrixID, scale: Float, output: ValueID)
    case norm(input: ValueID, weight: VectorID, epsilon: Float, output: ValueID)
    /// `sum = left + right; output = rmsNorm(sum)`, as `quantized` where there are some.
    case addNorm(
        left: ValueID, right: ValueID, sum: ValueID, weight: VectorID, epsilon: Float,
        quantized: QuantizedActivations? = nil,
        output: ValueID)
    /// Linear operations over one input, as one matrix.
    case linear(input: ValueID, parts: [LinearPart])
    /// `output[i] = input[order[i]]`, with the order of the columns of `matrix`.
    case reorder(input: ValueID, matrix: MatrixID, output: ValueID)
    /// `input` as integers for packed integer products.
    case quantize(input: ValueID, as: QuantizedActivations, output: ValueID)
    case head(HeadPass)
    /// Where there is a `record`, rows end up there as quantized activations, and `output` is where they may lie before.
    case attention(
        layer: Int, query: ValueID, shape: AttentionShape, output: ValueID, record: QuantizedOutput? = nil)
    /// `output = activation(gate) * up`, as `quantized` where there are some.
    case gated(
        gate: ValueID, up: ValueID, activation: Activation, quantized: QuantizedActivations? = nil, output: ValueID)
    case add(left: ValueID, right: ValueID, output: ValueID)
    case gather(input: ValueID, output: ValueID)
    case softCap(input: ValueID, cap: Float, output: ValueID)
}

/// One of the matrices that are multiplied with the same input.
struct LinearPart: Hashable {
    let weights: MatrixID
    let bias: VectorID?
    let output: ValueID
}

/// Digits that a step makes of its result.
struct QuantizedOutput: Hashable {
    let quantized: QuantizedActivations
    let output: ValueID
}

/// The heads of a value on their way: normed, turned, and to another value or into the cache.
struct HeadPass: Hashable {
    /// Where heads go.
    enum Target: Hashable {
        case value(ValueID)
        case keys(layer: Int)
        case values(layer: Int)
    }

    /// The norm of each head.
    struct Norm: Hashable {
        let weight: VectorID
        let epsilon: Float
    }

    let input: ValueID
    let headSize: Int
    var norm: Norm?
    var rotary: RotaryEmbedding?
    let target: Target
}

extension FusedOperation {
    /// The values it reads.
    var inputs: [ValueID] {
        switch self {
        case .embed: []
        case .norm(let input, _, _, _): [input]
        case .addNorm(let left, let right, _, _, _, _, _): [left, right]
        case .linear(let input, _): [input]
        case .reorder(let input, _, _), .quantize(let input, _, _): [input]
        case .head(let step): [step.input]
        case .attention(_, let query, _, _, _): [query]
        case .gated(let gate, let up, _, _, _): [gate, up]
        case .add(let left, let right, _): [left, right]
        case .gather(let input, _): [input]
        case .softCap(let input, _, _): [input]
        }
    }

    /// The values it writes; none where it writes to the cache.
    var outputs: [ValueID] {
        switch self {
        case .embed(_, _, let output), .norm(_, _, _, let output),
            .gated(_, _, _, _, let output), .add(_, _, let output), .gather(_, let output), .softCap(_, _, let output),
            .reorder(_, _, let output), .quantize(_, _, let output):
            return [output]
        case .addNorm(_, _, let sum, _, _, _, let output): return [sum, output]
        case .attention(_, _, _, let output, let record): return [output] + (record.map { [$0.output] } ?? [])
        case .linear(_, let parts): return parts.map(\.output)
        case .head(let step):
            guard case .value(let output) = step.target else { return [] }
            return [output]
        }
    }
}
