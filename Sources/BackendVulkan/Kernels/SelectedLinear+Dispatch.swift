import Backends
import Lowering
import SharedValues
import Tensors

/// The kernels of a set of matrices.
struct SelectedKernels {
    /// For steps of few rows: a workgroup for each row and choice.
    let single: DispatchKernel
    /// For steps of more rows: workgroups that take tiles of rows from a list. Empty where no step has so many rows.
    var grouped: [DispatchKernel] = []
}

extension LinearKernels {
    /// As `linear`, a step of few rows takes a GEMV and one of many a GEMM. In between, where rows begin to share matrices,
    /// a GEMV takes several rows at once.
    func selectedKernels(
        for format: DeviceMatrix.Format, inputSize: Int, outputSize: Int, _ quantized: QuantizedActivations?,
        _ grouping: RowGrouping, maxRowCount: Int
    ) throws(BackendError) -> SelectedKernels {
        func pipeline(rows: Int, isGEMM: Bool, _ selected: MatrixSelection.Rows) throws(BackendError) -> Pipeline {
            let tiling = shapes.linearTiling(
                rows: rows, inputSize: inputSize, outputSize: outputSize, limbCount: quantized?.count)
            switch (format, quantized) {
            case (.dense(let type), _):
                let linear = LinearKernel(isGEMM: isGEMM, type: type, tiling: tiling)
                return try library.pipeline(SelectedLinearKernel(linear: linear, rows: selected))
            case (.quantized(let format), nil):
                let linear = QuantizedLinearKernel(
                    isGEMM: isGEMM, format: format, inputSize: inputSize, tiling: tiling)
                return try library.pipeline(SelectedQuantizedLinearKernel(linear: linear, rows: selected))
            case (.quantized(let format), let quantized?):
                let linear = IntegerLinearKernel(
                    isGEMM: isGEMM, format: format, quantized: quantized, tiling: tiling)
                return try library.pipeline(SelectedIntegerLinearKernel(linear: linear, rows: selected))
            }
        }
        func grouped(_ rows: Int, maxRowCount: Int, isGEMM: Bool) throws(BackendError) -> DispatchKernel {
            let pipeline = try pipeline(rows: rows, isGEMM: isGEMM, .grouped)
            return DispatchKernel(
                maxRowCount: maxRowCount, rowsPerGroup: pipeline.variant.rowsPerGroup ?? rows, pipeline: pipeline,
                grouping: grouping)
        }
        let single = try pipeline(rows: 1, isGEMM: false, .single)
        let gemvRows = format.isDense ? shapes.gemvRows : shapes.quantizedGEMVRows
        let rows = gemvRows.last ?? 1
        let tileCount = grouping.maxTileCount(rows: maxRowCount, rowsPerTile: RowGrouping.minRowsPerTile)
        guard maxRowCount > grouping.unsharedRowCount, tileCount <= shapes.capabilities.maxGroupCount else {
            return SelectedKernels(single: DispatchKernel(maxRowCount: .max, rowsPerGroup: 1, pipeline: single))
        }
        var kernels = SelectedKernels(
            single: DispatchKernel(maxRowCount: grouping.unsharedRowCount, rowsPerGroup: 1, pipeline: single))
        let gemvRowCount = grouping.maxRowCount(rowsPerTile: rows)
        if gemvRowCount > grouping.unsharedRowCount {
            kernels.grouped.append(try grouped(rows, maxRowCount: gemvRowCount, isGEMM: false))
        }
        if maxRowCount > gemvRowCount {
            kernels.grouped.append(try grouped(rows, maxRowCount: .max, isGEMM: true))
        }
        return kernels
    }
}

extension DeviceMatrix.Format {
    fileprivate var isDense: Bool {
        if case .dense = self { true } else { false }
    }
}

extension ProgramBuilder {
    /// For each part of the set a dispatch for few rows and one for many, in which workgroups end whose matrix is in another
    /// part.
    mutating func selectedLinear(
        _ input: ValueID, _ set: MatrixSetID, _ bias: VectorID?, _ routes: ValueID, _ output: ValueID
    ) throws(BackendError) {
        let matrix = weights.matrix(set)
        let quantized = quantized(of: matrix)
        let (inputSize, outputSize) = (plan[set].inputSize, plan[set].outputSize)
        let grouping = RowGrouping(matrixCount: plan[set].count, choiceCount: plan[routes].width / 2)
        // In words.
        let inputWidth = quantized?.width(inputSize: inputSize) ?? inputSize
        let isShared = plan[input].width == inputWidth
        let (source, target) = (rowLayout(of: input), rowLayout(of: output))
        guard source.stride % 4 == 0, source.offset % 4 == 0, isShared || inputWidth % 4 == 0 else {
            throw .unsupported(
                operation: "selectedLinear", reason: "experts with \(inputSize) inputs, no multiple of 4")
        }
        let maxRowCount = memory.limits.maxRowCount(plan[output].rows)
        let kernels = try LinearKernels(library: library, shapes: shapes).selectedKernels(
            for: matrix.format, inputSize: inputSize, outputSize: outputSize, quantized, grouping,
            maxRowCount: maxRowCount)
        let minGroupedRowCount = kernels.single.maxRowCount == .max ? .max : kernels.single.maxRowCount + 1
        let list =
            kernels.grouped.isEmpty
            ? nil : try group(routes, grouping, for: kernels.grouped, minRowCount: minGroupedRowCount)
        let biasOffset = bias.map { weights.offset(of: $0) }
        let parameters = LinearKernel.Parameters(
            inputSize: UInt32(inputSize), outputSize: UInt32(outputSize),
            input: RowLayout(stride: source.stride / 4, offset: source.offset / 4), output: target,
            hasBias: biasOffset == nil ? 0 : 1, biasOffset: UInt32(biasOffset ?? 0))
        let matrixTiles = outputSize.dividedUp(by: DeviceMatrix.tile)
        var dispatches: [Dispatch] = []
        for part in matrix.parts {
            let selection = MatrixSelection(
                routes: rowLayout(of: routes), choiceCount: UInt32(grouping.choiceCount),
                pairsStart: UInt32(grouping.pairsStart(maxRowCount: maxRowCount)), matrixTiles: UInt32(matrixTiles),
                firstTile: UInt32(part.firstRow / DeviceMatrix.tile),
                tileCount: UInt32(part.rowCount.dividedUp(by: DeviceMatrix.tile)),
                choiceStride: UInt32(isShared ? 0 : inputWidth / 4))
            func append(_ kernels: [DispatchKernel], _ range: MemoryRange, groupCount: Int, minRowCount: Int) {
                func dispatch<K: Kernel>(
                    _ kernel: K.Type, _ bindings: [K.Binding: MemoryRange], _ parameters: K.Parameters
                ) -> Dispatch {
                    Dispatch(
                        kernel, kernels, bindings: bindings, parameters: parameters,
                        rows: DispatchRows(plan[output].rows), groupCount: groupCount,
                        label: "experts \(inputSize) to \(outputSize) \(matrix.format)",
                        bytesPerRow: (plan[input].width + plan[output].width) * 4,
                        workPerRow: 2 * grouping.choiceCount * inputSize * outputSize)
                }
                var result: Dispatch
                switch matrix.format {
                case .dense:
                    result = dispatch(
                        SelectedLinearKernel.self,
                        [
                            .input: memory.range(input), .weights: part.ranges[0], .bias: weights.vectors,
                            .selection: range, .output: memory.range(output),
                        ], .init(linear: parameters, selection: selection))
                case .quantized(let format):
                    // The same bindings and parameters as those of integer products.
                    result = dispatch(
                        SelectedQuantizedLinearKernel.self,
                        [
                            .input: memory.range(input), .codes: part.ranges[0], .scales: part.ranges[1],
                            .bias: weights.vectors, .selection: range, .output: memory.range(output),
                        ],
                        .init(
                            linear: parameters, group: format.groups(inputSize: inputSize), selection: selection))
                }
                result.minRowCount = minRowCount
                result.chosen = ChosenMatrices(
                    routes: memory.range(routes), layout: rowLayout(of: routes), grouping: grouping,
                    byteCount: matrix.format.rowByteCount(inputSize: inputSize) * outputSize * part.rowCount
                        / matrix.rowCount)
                dispatches.append(result)
            }
            append(
                [kernels.single], memory.range(routes), groupCount: grouping.choiceCount * matrixTiles, minRowCount: 1)
            if let list {
                append(kernels.grouped, list, groupCount: matrixTiles, minRowCount: minGroupedRowCount)
            }
        }
        self.append(
            dispatches, reading: [memory.range(input), memory.range(routes)] + (list.map { [$0] } ?? []),
            writing: [memory.range(output)])
    }
}
