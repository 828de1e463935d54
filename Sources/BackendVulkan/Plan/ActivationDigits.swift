import Backends
import Tensors

/// Activations as integers of signed bytes (`digits.glsl`), which a device multiplies with packed weights four at a time.
struct ActivationDigits: Hashable {
    /// Bytes of a number: 1, 2 or 3.
    let count: Int
    /// How far apart, in the input, numbers are that share a word: as those that share one in the weights.
    let interleave: Int

    /// The digits that weights in `format` are multiplied with.
    init(count: Int, for format: PackedFormat) {
        self.count = count
        // Fields of two and four bits are unpacked by a mask, which leaves neighbours in different words.
        interleave = 8 % format.bitCount == 0 ? 8 / format.bitCount : 1
    }

    /// Invocations of a workgroup that makes them; eight have a slice.
    static let group = 64
    /// Numbers of a row that such a workgroup takes, four to an invocation.
    static let numbersPerGroup = 4 * group

    /// Words of a slice: its digits, its scale, and the sums of its halves and of all of it.
    var recordWordCount: Int { count * PackedFormat.slice / 4 + 4 }

    /// Words of a row of `inputSize` numbers.
    func width(inputSize: Int) -> Int { inputSize.dividedUp(by: PackedFormat.slice) * recordWordCount }

    /// What kernels are compiled for.
    var constants: [String: Int] { ["DIGITS": count, "INTERLEAVE": interleave] }

    /// What kernels are compiled for that make them, into binding `binding`.
    func constants(madeInto binding: Int) -> [String: Int] {
        constants.merging(["RECORDS_BINDING": binding]) { $1 }
    }

    /// Whether the reduction of an attention can make them: heads of whole slices.
    static func areMade(ofHeads size: Int) -> Bool { size % PackedFormat.slice == 0 }
}

extension StepFusion {
    /// `steps` with the inputs of packed matrices as digits: made once for all matrices that share an input and an
    /// arrangement. `plan` gets the values that this takes. Throws `unsupported` for groups that no kernel takes.
    static func makingDigits(
        _ steps: [FusedStep], digitCount: Int, in plan: inout ForwardPlan
    ) throws(BackendError) -> [FusedStep] {
        struct Made: Hashable {
            let input: ValueID
            let digits: ActivationDigits
        }
        var known: [Made: ValueID] = [:]
        var result: [FusedStep] = []
        for step in steps {
            guard case .linear(let input, let parts) = step,
                case .quantized(let matrix) = plan[parts[0].weights].weights
            else {
                result.append(step)
                continue
            }
            let format = try PackedFormat(matrix.layout, inputSize: matrix.inputSize)
            let made = Made(input: input, digits: ActivationDigits(count: digitCount, for: format))
            let value =
                known[made]
                ?? plan.addValue(rows: plan[input].rows, width: made.digits.width(inputSize: matrix.inputSize))
            if known[made] == nil {
                result.append(.digits(input: input, digits: made.digits, output: value))
                known[made] = value
            }
            result.append(.linear(input: value, parts: parts))
        }
        return makingDigitsAtOnce(result, in: plan)
    }

    /// `steps` without values that only become digits: what makes such a value makes the digits.
    private static func makingDigitsAtOnce(_ steps: [FusedStep], in plan: ForwardPlan) -> [FusedStep] {
        var useCounts: [ValueID: Int] = [:]
        for input in steps.flatMap(\.inputs) { useCounts[input, default: 0] += 1 }
        if let logits = plan.logits { useCounts[logits, default: 0] += 1 }
        var made: [ValueID: DigitsRecord] = [:]
        for case .digits(let input, let digits, let output) in steps where useCounts[input] == 1 {
            made[input] = DigitsRecord(digits: digits, output: output)
        }
        var absorbed: Set<ValueID> = []
        let result = steps.map { step -> FusedStep in
            guard let output = step.outputs.last, let record = made[output] else { return step }
            switch step {
            case .addNorm(let left, let right, let sum, let weight, let epsilon, nil, _):
                absorbed.insert(record.output)
                return .addNorm(
                    left: left, right: right, sum: sum, weight: weight, epsilon: epsilon, digits: record.digits,
                    output: record.output)
            case .attention(let layer, let query, let shape, let output, nil)
            where ActivationDigits.areMade(ofHeads: plan.cacheLayers[layer].headSize):
                absorbed.insert(record.output)
                return .attention(layer: layer, query: query, shape: shape, output: output, record: record)
            case .gated(let gate, let up, let activation, nil, _):
                absorbed.insert(record.output)
                return .gated(
                    gate: gate, up: up, activation: activation, digits: record.digits, output: record.output)
            default: return step
            }
        }
        return result.filter { step in
            guard case .digits(_, _, let output) = step else { return true }
            return !absorbed.contains(output)
        }
    }
}
