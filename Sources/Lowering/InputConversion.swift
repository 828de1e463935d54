import Backends
import Tensors

/// The second pass: inputs of linear operations in the order of the matrix's columns and in the format that it reads.
struct InputConversion<Target: LoweringTarget> {
    typealias Operation = FusedOperation<Target.Format>

    let target: Target
    /// The format in which each matrix reads its input; 32-bit floats where there is none.
    let formats: [MatrixID: Target.Format]
    /// The same for the matrices of each set.
    let setFormats: [MatrixSetID: Target.Format]

    private struct Conversion: Hashable {
        let input: ValueID
        var partCount = 1
        var order: [Int32]?
        var format: Target.Format?
    }

    /// `operations` with a conversion before the first linear operation that needs it. All matrices that read the same
    /// input in the same order and format share one. `plan` gets the values that hold the results.
    func convertingInputs(of operations: [Operation], in plan: inout ForwardPlan) -> [Operation] {
        var known: [Conversion: ValueID] = [:]
        var result: [Operation] = []
        /// The value that `conversion` results in, `width` words a row. `operation` makes it of `output`.
        func value(_ conversion: Conversion, width: Int, operation: (_ output: ValueID) -> Operation) -> ValueID {
            if let value = known[conversion] { return value }
            let value = plan.addValue(rows: plan[conversion.input].rows, width: width)
            known[conversion] = value
            result.append(operation(value))
            return value
        }
        for operation in operations {
            if case .selectedLinear(let source, let set, let bias, let selector, let output) = operation,
                let format = setFormats[set]
            {
                let inputSize = plan[set].inputSize
                let isOneRow = target.convertsAsOneRow(format, partWidth: inputSize)
                let partCount = isOneRow ? 1 : plan[source].width / inputSize
                let width = partCount * target.wordCount(of: format, width: plan[source].width / partCount)
                let input = value(Conversion(input: source, partCount: partCount, format: format), width: width) {
                    .convert(input: source, partCount: partCount, order: nil, format: format, output: $0)
                }
                result.append(
                    .selectedLinear(input: input, set: set, bias: bias, selector: selector, output: output))
                continue
            }
            guard case .linear(var input, let parts) = operation else {
                result.append(operation)
                continue
            }
            let matrix = parts[0].weights
            let (weights, format) = (plan[matrix].weights, formats[matrix])
            var order = weights.inputOrder
            if order != nil, format == nil || !target.reordersWhileConverting {
                let source = input
                input = value(Conversion(input: source, order: order), width: plan[source].width) { output in
                    .reorder(input: source, matrix: matrix, output: output)
                }
                order = nil
            }
            if let format {
                let source = input
                let width = target.wordCount(of: format, width: weights.inputSize)
                input = value(Conversion(input: source, order: order, format: format), width: width) { output in
                    .convert(input: source, order: order == nil ? nil : matrix, format: format, output: output)
                }
            }
            result.append(.linear(input: input, parts: parts))
        }
        return result
    }

    /// `operations` without conversions of values that nothing else reads, where the operation that makes the value can
    /// write it in the new format by itself.
    func writingConverted(_ operations: [Operation], of plan: ForwardPlan) -> [Operation] {
        let uses = ValueUses(of: operations, logits: plan.logits)
        var conversions: [ValueID: ConvertedOutput<Target.Format>] = [:]
        for case .convert(let input, 1, nil, let format, let output) in operations where uses.isReadOnce(input) {
            conversions[input] = ConvertedOutput(format: format, output: output)
        }
        var absorbed: Set<ValueID> = []
        let result = operations.map { operation -> Operation in
            guard let output = operation.outputs.last, let converted = conversions[output],
                target.canWrite(converted.format, from: operation, of: plan)
            else { return operation }
            absorbed.insert(converted.output)
            switch operation {
            case .addNorm(let left, let right, let sum, let weight, let epsilon, _, _):
                return .addNorm(
                    left: left, right: right, sum: sum, weight: weight, epsilon: epsilon, format: converted.format,
                    output: converted.output)
            case .attention(let layer, let query, let shape, let output, _):
                return .attention(layer: layer, query: query, shape: shape, output: output, converted: converted)
            case .gated(let gate, let up, let activation, _, _):
                return .gated(
                    gate: gate, up: up, activation: activation, format: converted.format, output: converted.output)
            default: preconditionFailure("an operation that has no format to write its result in")
            }
        }
        return result.filter { operation in
            guard case .convert(_, _, _, _, let output) = operation else { return true }
            return !absorbed.contains(output)
        }
    }
}
