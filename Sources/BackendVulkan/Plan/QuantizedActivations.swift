import Backends
import SharedValues
import Tensors

/// Activations as integers of signed bytes (`digits.glsl`), which a device multiplies with packed weights four at a time.
struct QuantizedActivations: Hashable {
    /// Bytes of a number: 1, 2 or 3.
    let count: Int
    /// How far apart, in the input, numbers are that share a word: as those that share one in the weights.
    let interleave: Int

    /// The quantized activations that weights in `format` are multiplied with.
    init(count: Int, for format: QuantizedFormat) {
        self.count = count
        // Fields of two and four bits are unpacked by a mask, which leaves neighbours in different words.
        interleave = 8 % format.bitCount == 0 ? 8 / format.bitCount : 1
    }

    /// Invocations of a workgroup that makes them; eight have a slice.
    static let group = 64
    /// Numbers of a row that such a workgroup takes, four to an invocation.
    static let numbersPerGroup = 4 * group

    /// Words of a slice: its quantized activations, its scale, and the sums of its halves and of all of it.
    var recordWordCount: Int { count * QuantizedFormat.slice / 4 + 4 }

    /// Words of a row of `inputSize` numbers.
    func width(inputSize: Int) -> Int { inputSize.dividedUp(by: QuantizedFormat.slice) * recordWordCount }

    /// Whether the reduction of an attention can make them: heads of whole slices.
    static func areMade(ofHeads size: Int) -> Bool { size % QuantizedFormat.slice == 0 }
}

extension OperationFusion {
    /// `steps` with the inputs of packed matrices as quantized activations: made once for all matrices that share an input and an
    /// arrangement. `plan` gets the values that this takes. Throws `unsupported` for groups that no kernel takes.
    static func quantizingInputs(
        _ steps: [FusedOperation], limbCount: Int, in plan: inout ForwardPlan
    ) throws(BackendError) -> [FusedOperation] {
        struct Made: Hashable {
            let input: ValueID
            let quantized: QuantizedActivations
        }
        var known: [Made: ValueID] = [:]
        var result: [FusedOperation] = []
        for step in steps {
            guard case .linear(let input, let parts) = step,
                case .quantized(let matrix) = plan[parts[0].weights].weights
            else {
                result.append(step)
                continue
            }
            let format = try QuantizedFormat(matrix.layout, inputSize: matrix.inputSize)
            let made = Made(input: input, quantized: QuantizedActivations(count: limbCount, for: format))
            let value =
                known[made]
                ?? plan.addValue(rows: plan[input].rows, width: made.quantized.width(inputSize: matrix.inputSize))
            if known[made] == nil {
                result.append(.quantize(input: input, as: made.quantized, output: value))
                known[made] = value
            }
            result.append(.linear(input: value, parts: parts))
        }
        return quantizingInPlace(result, in: plan)
    }

    /// `steps` without values that only become quantized activations: what makes such a value makes the quantized activations.
    private static func quantizingInPlace(_ steps: [FusedOperation], in plan: ForwardPlan) -> [FusedOperation] {
        var useCounts: [ValueID: Int] = [:]
        for input in steps.flatMap(\.inputs) { useCounts[input, default: 0] += 1 }
        if let logits = plan.logits { useCounts[logits, default: 0] += 1 }
        var made: [ValueID: QuantizedOutput] = [:]
        for case .quantize(let input, let quantized, let output) in steps where useCounts[input] == 1 {
            made[input] = QuantizedOutput(quantized: quantized, output: output)
        }
        var absorbed: Set<ValueID> = []
        let result = steps.map { step -> FusedOperation in
            guard let output = step.outputs.last, let record = made[output] else { return step }
            switch step {
            case .addNorm(let left, let right, let sum, let weight, let epsilon, nil, _):
                absorbed.insert(record.output)
                return .addNorm(
                    left: left, right: right, sum: sum, weight: weight, epsilon: epsilon, quantized: record.quantized,
                    output: record.output)
            case .attention(let layer, let query, let shape, let output, nil)
            where QuantizedActivations.areMade(ofHeads: plan.cacheLayers[layer].headSize):
                absorbed.insert(record.output)
                return .attention(layer: layer, query: query, shape: shape, output: output, record: record)
            case .gated(let gate, let up, let activation, nil, _):
                absorbed.insert(record.output)
                return .gated(
                    gate: gate, up: up, activation: activation, quantized: record.quantized, output: record.output)
            default: return step
            }
        }
        return result.filter { step in
            guard case .quantize(_, _, let output) = step else { return true }
            return !absorbed.contains(output)
        }
    }
}
