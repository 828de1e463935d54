public import Backends

/// What a backend computes in one pass: an operation of the plan, several neighbours together, or a conversion of
/// activations that only the backend needs.
///
/// `Format` is the backend's own type for activations that are not 32-bit floats, such as int8 limbs with one scale for
/// every 32 numbers. Converted activations are values of the lowered plan like all others.
public enum FusedOperation<Format: Hashable & Sendable>: Hashable, Sendable {
    case embed(table: MatrixID, index: EmbeddingIndex, scale: Float, output: ValueID)
    case norm(input: ValueID, weight: VectorID, epsilon: Float, output: ValueID)
    /// Weight and bias are nil, or as long as a group, or as a row.
    case layerNorm(
        input: ValueID, weight: VectorID?, bias: VectorID?, groupSize: Int, epsilon: Float, output: ValueID)
    /// `sum = left + right; output = rmsNorm(sum)`. With a `format`, the output is in that format.
    case addNorm(
        left: ValueID, right: ValueID, sum: ValueID, weight: VectorID, epsilon: Float, format: Format? = nil,
        output: ValueID)
    /// Linear operations that read one input. Several parts are multiplied as one matrix.
    case linear(input: ValueID, parts: [LinearPart])
    case route(logits: ValueID, bias: VectorID?, factors: VectorID?, routing: ExpertRouting, output: ValueID)
    /// With the selector `adapters`, the output is in the memory of the addend.
    case selectedLinear(
        input: ValueID, set: MatrixSetID, bias: VectorID?, selector: MatrixSelector, output: ValueID)
    case weightedSum(input: ValueID, routes: ValueID, output: ValueID)
    /// `output[i] = input[order[i]]`, where `order` is the order of the columns of `matrix`.
    case reorder(input: ValueID, matrix: MatrixID, output: ValueID)
    /// `input` in `format`; with `order`, in the order of the columns of that matrix. Each of `partCount` equal parts of a
    /// row is converted like a row of its own.
    case convert(input: ValueID, partCount: Int = 1, order: MatrixID?, format: Format, output: ValueID)
    case head(HeadPass)
    /// With `converted`, the result goes there in another format, and `output` is only scratch memory.
    case attention(
        layer: Int, query: ValueID, shape: AttentionShape, output: ValueID, converted: ConvertedOutput<Format>? = nil)
    /// `output = activation(gate) * up`. With a `format`, the output is in that format.
    case gated(gate: ValueID, up: ValueID, activation: Activation, format: Format? = nil, output: ValueID)
    case activation(input: ValueID, activation: PointwiseActivation, output: ValueID)
    case scale(input: ValueID, factor: Float, output: ValueID)
    case positionScale(input: ValueID, scale: PositionScale, output: ValueID)
    case slice(input: ValueID, offset: Int, output: ValueID)
    case concatHeads(first: HeadColumns, second: HeadColumns?, headCount: Int, output: ValueID)
    case add(left: ValueID, right: ValueID, output: ValueID)
    case gather(input: ValueID, output: ValueID)
    case softCap(input: ValueID, cap: Float, output: ValueID)
}

/// One of the matrices that are multiplied with the same input.
public struct LinearPart: Hashable, Sendable {
    public let weights: MatrixID
    public let bias: VectorID?
    public let output: ValueID
}

/// A result that an operation writes in another format than 32-bit floats.
public struct ConvertedOutput<Format: Hashable & Sendable>: Hashable, Sendable {
    public let format: Format
    public let output: ValueID
}

/// One pass over the heads of a value: normalised, rotated, and written to another value or to the cache.
public struct HeadPass: Hashable, Sendable {
    /// Where the heads are written.
    public enum Target: Hashable, Sendable {
        case value(ValueID)
        case keys(layer: Int)
        case values(layer: Int)
    }

    /// The norm of each head by itself.
    public struct Norm: Hashable, Sendable {
        public let weight: VectorID
        public let epsilon: Float
    }

    public let input: ValueID
    public let headSize: Int
    public var norm: Norm?
    public var rotary: RotaryEmbedding?
    public let target: Target
}

extension FusedOperation {
    /// The values it reads.
    public var inputs: [ValueID] { values.inputs }

    /// The values it writes; none where it writes to the cache.
    public var outputs: [ValueID] { values.outputs }

    private var values: (inputs: [ValueID], outputs: [ValueID]) {
        switch self {
        case .embed(_, _, _, let output): return ([], [output])
        case .norm(let input, _, _, let output): return ([input], [output])
        case .layerNorm(let input, _, _, _, _, let output): return ([input], [output])
        case .addNorm(let left, let right, let sum, _, _, _, let output): return ([left, right], [sum, output])
        case .linear(let input, let parts): return ([input], parts.map(\.output))
        case .route(let logits, _, _, _, let output): return ([logits], [output])
        case .selectedLinear(let input, _, _, let selector, let output): return ([input] + selector.inputs, [output])
        case .weightedSum(let input, let routes, let output): return ([input, routes], [output])
        case .reorder(let input, _, let output): return ([input], [output])
        case .convert(let input, _, _, _, let output): return ([input], [output])
        case .head(let pass):
            guard case .value(let output) = pass.target else { return ([pass.input], []) }
            return ([pass.input], [output])
        case .attention(_, let query, _, let output, let converted):
            return ([query], [output] + (converted.map { [$0.output] } ?? []))
        case .gated(let gate, let up, _, _, let output): return ([gate, up], [output])
        case .activation(let input, _, let output): return ([input], [output])
        case .scale(let input, _, let output): return ([input], [output])
        case .positionScale(let input, _, let output): return ([input], [output])
        case .slice(let input, _, let output): return ([input], [output])
        case .concatHeads(let first, let second, _, let output):
            return ([first.input] + (second.map { [$0.input] } ?? []), [output])
        case .add(let left, let right, let output): return ([left, right], [output])
        case .gather(let input, let output): return ([input], [output])
        case .softCap(let input, _, let output): return ([input], [output])
        }
    }

    /// The cache layer that it reads or writes.
    public var cacheLayer: Int? {
        switch self {
        case .attention(let layer, _, _, _, _): return layer
        case .head(let pass):
            switch pass.target {
            case .value: return nil
            case .keys(let layer), .values(let layer): return layer
            }
        default: return nil
        }
    }
}
