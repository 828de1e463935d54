import Backends

/// What all threads do between two barriers.
enum CPUStep: Hashable {
    /// Operations that look at one row at a time, done one after another on a few rows while these are in the cache.
    case rows(PlanRows, [RowOperation])
    /// Linear operations that do not need each other; threads share their panels.
    case linears(PlanRows, [LinearOperation])
    /// Attention; threads take (queries, key/value head) pairs as they come.
    case attention(AttentionOperation)
}

/// An operation on one row at a time.
enum RowOperation: Hashable {
    /// One of the plan's own.
    case plan(DeviceOperation)
    /// `sum = left + right; output = rmsNorm(sum)` in one pass.
    case addNorm(left: ValueID, right: ValueID, sum: ValueID, weight: VectorID, epsilon: Float, output: ValueID)
    /// Rounds a value to 16 bits for the linear operations that read it.
    case narrow(ValueID)
}

/// A linear operation, and whether it reads its input's narrow form.
struct LinearOperation: Hashable {
    let input: ValueID
    let weights: MatrixID
    let bias: VectorID?
    let output: ValueID
    let readsNarrow: Bool
}

/// An attention, and whether it also writes its output's narrow form.
struct AttentionOperation: Hashable {
    let layer: Int
    let query: ValueID
    let shape: AttentionShape
    let output: ValueID
    let writesNarrow: Bool
}

/// A value as it lies in memory: 32-bit floats, or rounded to bf16 with rows of even width.
enum ValueForm: Hashable {
    case wide(ValueID)
    case narrow(ValueID)
}

extension CPUStep {
    /// Every form that it reads or writes.
    var forms: [ValueForm] {
        switch self {
        case .rows(_, let operations):
            operations.flatMap { operation -> [ValueForm] in
                switch operation {
                case .plan(let operation): (operation.inputs + [operation.output].compactMap { $0 }).map { .wide($0) }
                case .addNorm(let left, let right, let sum, _, _, let output):
                    [left, right, sum, output].map { .wide($0) }
                case .narrow(let value): [.wide(value), .narrow(value)]
                }
            }
        case .linears(_, let operations):
            operations.flatMap { operation -> [ValueForm] in
                [operation.readsNarrow ? .narrow(operation.input) : .wide(operation.input), .wide(operation.output)]
            }
        case .attention(let operation):
            [.wide(operation.query), .wide(operation.output)]
                + (operation.writesNarrow ? [.narrow(operation.output)] : [])
        }
    }
}
