import Backends
import SharedValues
import Tensors

extension ProgramBuilder {
    /// One dispatch for each part of the matrix, with a kernel by the number of rows.
    mutating func linear(_ input: ValueID, _ parts: [LinearPart]) throws(BackendError) {
        let matrix = weights.matrix(parts.map(\.weights))
        let first = parts[0].output
        let source = memory.layout[input]
        let target = memory.layout[first]
        guard source.stride % 4 == 0, source.column % 4 == 0 else {
            throw .unsupported(operation: "linear", reason: "it reads the logits, whose rows are not padded")
        }
        let quantized = quantized(of: matrix)
        precondition(
            quantized?.width(inputSize: matrix.inputSize) ?? matrix.inputSize == plan[input].width,
            "\(plan[parts[0].weights].name) does not fit its input")
        let choices = try linearKernels.choices(
            for: matrix.format, inputSize: matrix.inputSize, outputSize: matrix.rowCount, quantized)
        let biasOffset = weights.biasOffset(of: parts)
        let groups =
            switch matrix.format {
            case .dense: [UInt32]()
            case .packed(let format): format.groupNumbers(inputSize: matrix.inputSize)
            }
        let dispatches = matrix.parts.map { part in
            Dispatch(
                choices: choices,
                bindings: [memory.range(input)] + part.ranges + [weights.vectors, memory.range(first)],
                constants: [
                    UInt32(matrix.inputSize), UInt32(part.rowCount), UInt32(source.stride / 4),
                    UInt32(source.column / 4), UInt32(target.stride), UInt32(target.column + part.firstRow),
                    biasOffset == nil ? 0 : 1, UInt32((biasOffset ?? 0) + part.firstRow),
                ] + groups,
                rows: DispatchRows(plan[first].rows), groupCount: part.rowCount.dividedUp(by: DeviceMatrix.tile),
                label: "linear \(matrix.inputSize) to \(part.rowCount) \(matrix.format)",
                byteCount: part.ranges.reduce(0) { $0 + $1.byteCount },
                bytesPerRow: (plan[input].width + part.rowCount) * 4,
                workPerRow: 2 * matrix.inputSize * part.rowCount)
        }
        append(dispatches, reading: [memory.range(input)], writing: [memory.range(first)])
    }

    /// `input` as the integers that packed matrices are multiplied with.
    mutating func quantize(
        _ input: ValueID, _ quantized: QuantizedActivations, _ output: ValueID, of rows: DispatchRows? = nil
    ) throws(BackendError) {
        let (source, target) = (memory.layout[input], memory.layout[output])
        guard source.stride % 4 == 0, source.column % 4 == 0 else {
            throw .unsupported(operation: "linear", reason: "it reads the logits, whose rows are not padded")
        }
        let width = plan[input].width
        let dispatch = Dispatch(
            choices: try linearKernels.making(quantized, by: .conversion),
            bindings: [memory.range(input), memory.range(output)],
            constants: [
                UInt32(width), UInt32(source.stride / 4), UInt32(source.column / 4), UInt32(target.stride),
                UInt32(target.column),
            ],
            rows: rows ?? DispatchRows(plan[output].rows),
            groupCount: width.dividedUp(by: QuantizedActivations.numbersPerGroup), label: "digits \(width)",
            bytesPerRow: (width + plan[output].width) * 4, workPerRow: 4 * width)
        append([dispatch], reading: [memory.range(input)], writing: [memory.range(output)])
    }

    /// What `matrix` is multiplied with; nil for floats.
    private func quantized(of matrix: DeviceMatrix) -> QuantizedActivations? {
        guard case .packed(let format) = matrix.format, let count = memory.limbCount else { return nil }
        return QuantizedActivations(count: count, for: format)
    }
}
