import Backends
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
        precondition(matrix.inputSize == plan[input].width, "\(plan[parts[0].weights].name) does not fit its input")
        let choices = try linearChoices(matrix)
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
                rows: DispatchRows(plan[first].rows), groupCount: part.rowCount.dividedUp(by: PackedMatrix.tile),
                label: "linear \(matrix.inputSize) to \(part.rowCount) \(matrix.format)",
                byteCount: part.ranges.reduce(0) { $0 + $1.byteCount },
                bytesPerRow: (matrix.inputSize + part.rowCount) * 4,
                workPerRow: 2 * matrix.inputSize * part.rowCount)
        }
        append(dispatches, reading: [memory.range(input)], writing: [memory.range(first)])
    }

    private func linearChoices(_ matrix: PackedMatrix) throws(BackendError) -> [KernelChoice] {
        let (few, many, format, rowCounts): (KernelKind, KernelKind, [String: Int], [Int]) =
            switch matrix.format {
            case .dense(let type):
                (
                    .linearFewRows, type.byteCount == 2 ? .linearManyRowsHalf : .linearManyRows,
                    KernelShapes.weightConstants(type), shapes.linearRows
                )
            case .packed(let format): (.packedFewRows, .packedManyRows, format.constants, shapes.packedRows)
            }
        // Input, weights, biases, output.
        let bindingCount = 3 + matrix.parts[0].ranges.count
        var choices: [KernelChoice] = []
        func append(_ kind: KernelKind, rows: Int, maxRowCount: Int) throws(BackendError) {
            var constants = format
            constants["ROWS"] = rows
            constants["SPLITS"] = shapes.linearSplits
            constants["SUBGROUP"] = shapes.subgroupSize
            let pipeline = try library.pipeline(kind, constants: constants, bindingCount: bindingCount)
            choices.append(
                KernelChoice(
                    maxRowCount: maxRowCount, rowsPerGroup: pipeline.variant.rowsPerGroup ?? rows, pipeline: pipeline))
        }
        for rows in rowCounts { try append(few, rows: rows, maxRowCount: rows) }
        try append(many, rows: rowCounts.last ?? 1, maxRowCount: .max)
        return choices
    }
}
