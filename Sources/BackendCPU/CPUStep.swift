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
    /// Brings a value into the form that some linear operations read.
    case prepare(ValueID, InputForm)
}

/// What a linear operation reads instead of its input as it is.
struct InputForm: Hashable {
    /// How each number is.
    enum Numbers: Hashable {
        /// As it is.
        case wide
        /// Rounded to bf16, rows of even width.
        case narrow
        /// Integers that share scales.
        case digits(QuantizedActivations)
    }

    var numbers = Numbers.wide
    /// The number of the order in which the columns are; nil where they stay.
    var order: Int?

    /// Rounded to bf16 and nothing else.
    static let narrow = InputForm(numbers: .narrow)
}

extension InputForm.Numbers {
    /// Distance between two rows of `width` numbers, in numbers or in records.
    func stride(width: Int) -> Int {
        switch self {
        case .wide: width
        case .narrow: ScratchLayout.narrowStride(width: width)
        case .digits: QuantizedActivations.recordCount(width: width)
        }
    }

    /// The same in bytes.
    func byteStride(width: Int) -> Int {
        switch self {
        case .wide: stride(width: width) * 4
        case .narrow: stride(width: width) * 2
        case .digits(let digits): stride(width: width) * digits.recordByteCount
        }
    }
}

/// A linear operation, and the form of its input that it reads; nil: as it is.
struct LinearOperation: Hashable {
    let input: ValueID
    let weights: MatrixID
    let bias: VectorID?
    let output: ValueID
    let form: InputForm?
}

/// An attention, and the form into which it brings its output as well.
struct AttentionOperation: Hashable {
    let layer: Int
    let query: ValueID
    let shape: AttentionShape
    let output: ValueID
    let form: InputForm?
}

/// A value as it lies in memory: 32-bit floats, or prepared for linear operations.
enum ValueForm: Hashable {
    case wide(ValueID)
    case prepared(ValueID, InputForm)

    /// `value` in the form `form`; nil: as it is.
    init(_ value: ValueID, _ form: InputForm?) {
        self = form.map { .prepared(value, $0) } ?? .wide(value)
    }
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
                case .prepare(let value, let form): [.wide(value), .prepared(value, form)]
                }
            }
        case .linears(_, let operations):
            operations.flatMap { operation -> [ValueForm] in
                [ValueForm(operation.input, operation.form), .wide(operation.output)]
            }
        case .attention(let operation):
            [.wide(operation.query), .wide(operation.output)]
                + (operation.form.map { [.prepared(operation.output, $0)] } ?? [])
        }
    }
}
