import Backends
import Lowering
import SharedValues
import Tensors

extension ProgramBuilder {
    /// `selectedLinear` operations by adapters, none of which waits for another.
    ///
    /// An operation has two dispatches, for steps in which each adapter has few rows and for those in which it has many.
    /// Either has a workgroup for each tile of outputs and each tile of `AdapterTiles`.
    mutating func adapterLinears(_ operations: [FusedOperation]) throws(BackendError) {
        var dispatches: [Dispatch] = []
        var (reading, writing): ([MemoryRange], [MemoryRange]) = ([], [])
        for case .selectedLinear(let input, let set, _, .adapters(let addend), let output) in operations {
            for isMany in [false, true] {
                dispatches += try adapterLinear(input, set, isAdding: addend != nil, output, isMany: isMany)
            }
            reading.append(memory.range(input))
            writing.append(memory.range(output))
        }
        append(dispatches, reading: reading, writing: writing)
    }

    /// A dispatch for each part of the slots.
    private func adapterLinear(
        _ input: ValueID, _ set: MatrixSetID, isAdding: Bool, _ output: ValueID, isMany: Bool
    ) throws(BackendError) -> [Dispatch] {
        guard let tiles = memory.adapters else { preconditionFailure("a plan without adapter slots") }
        let matrix = weights.matrix(set)
        guard case .dense(let type) = matrix.format else { preconditionFailure("adapters are not quantized") }
        let (inputSize, outputSize) = (plan[set].inputSize, plan[set].outputSize)
        let source = rowLayout(of: input)
        guard source.stride % 4 == 0, source.offset % 4 == 0 else {
            throw .unsupported(operation: "selectedLinear", reason: "adapters read rows that are not padded")
        }
        let rows = shapes.gemvRows.last ?? 1
        let linear = LinearKernel(
            isGEMM: isMany, type: type,
            tiling: shapes.linearTiling(rows: rows, inputSize: inputSize, outputSize: outputSize, limbCount: nil))
        let pipeline = try library.pipeline(
            SelectedLinearKernel(linear: linear, rows: .adapters(isAdding: isAdding)))
        guard let list = AdapterTiles.rowsPerTile.firstIndex(of: pipeline.variant.rowsPerGroup ?? rows) else {
            preconditionFailure("a kernel for tiles of no list")
        }
        let matrixTiles = outputSize.dividedUp(by: DeviceMatrix.tile)
        return matrix.parts.map { part in
            Dispatch(
                SelectedLinearKernel.self,
                [DispatchKernel(maxRowCount: .max, rowsPerGroup: 1, pipeline: pipeline)],
                bindings: [
                    .input: memory.range(input), .weights: part.ranges[0], .bias: weights.vectors,
                    .selection: batch.range(.adapters(list)), .output: memory.range(output),
                ],
                parameters: .init(
                    linear: .init(
                        inputSize: UInt32(inputSize), outputSize: UInt32(outputSize),
                        input: RowLayout(stride: source.stride / 4, offset: source.offset / 4),
                        output: rowLayout(of: output), hasBias: 0, biasOffset: 0),
                    selection: .init(
                        routes: RowLayout(stride: 0), choiceCount: 1,
                        pairsStart: UInt32(tiles.pairsStart(list: list)),
                        presenceStart: UInt32(tiles.presenceStart(list: list, of: set)),
                        matrixTiles: UInt32(matrixTiles), firstTile: UInt32(part.firstRow / DeviceMatrix.tile),
                        tileCount: UInt32(part.rowCount.dividedUp(by: DeviceMatrix.tile)), choiceStride: 0)),
                rows: .adapterTiles(list: list, isMany: isMany), groupCount: matrixTiles,
                label: "adapters \(inputSize) to \(outputSize) \(type)",
                bytesPerRow: matrix.format.rowByteCount(inputSize: inputSize) * outputSize,
                workPerRow: 2 * AdapterTiles.rowsPerTile[list] * inputSize * outputSize)
        }
    }
}
