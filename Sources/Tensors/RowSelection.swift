extension LinearWeights {
    /// The rows of `ranges`, one range after another, as a matrix of their own. One range of a dense matrix is a view;
    /// several are copied. Quantized rows are selected when they are read.
    /// Precondition: the ranges are inside of the matrix.
    public func selectingRows(_ ranges: [Range<Int>]) -> LinearWeights {
        precondition(
            ranges.allSatisfy { 0 <= $0.lowerBound && $0.upperBound <= outputSize }, "rows outside of the matrix")
        switch self {
        case .dense(let tensor): return .dense(tensor.selectingRows(ranges))
        case .quantized(let matrix):
            return .quantized(
                QuantizedMatrix(
                    outputSize: ranges.reduce(0) { $0 + $1.count }, inputSize: matrix.inputSize, layout: matrix.layout,
                    inputOrder: matrix.inputOrder, computeType: matrix.computeType,
                    rows: SelectedRows(matrix: matrix, ranges: ranges)))
        }
    }

    /// Rows `first`, `first + step` and so on, as a matrix of their own: copied of a dense matrix, selected of a quantized one
    /// when they are read. Precondition: `first` is below `step`, and rows are a multiple of it.
    public func selectingRows(from first: Int, by step: Int) -> LinearWeights {
        precondition(0 <= first && first < step && outputSize % step == 0, "rows outside of the matrix")
        let count = outputSize / step
        switch self {
        case .dense(let tensor):
            return .dense(tensor.selectingRows((0..<count).map { first + $0 * step..<first + $0 * step + 1 }))
        case .quantized(let matrix):
            return .quantized(
                QuantizedMatrix(
                    outputSize: count, inputSize: matrix.inputSize, layout: matrix.layout,
                    inputOrder: matrix.inputOrder, computeType: matrix.computeType,
                    rows: StridedRows(matrix: matrix, first: first, step: step)))
        }
    }

    /// A dense matrix with rows and columns exchanged; nil for quantized ones, whose groups lie along the rows.
    public var transposed: LinearWeights? {
        guard case .dense(let tensor) = self else { return nil }
        return .dense(tensor.transposingBlocks(1))
    }

    /// The matrix as a dense one of `blockCount` blocks of rows, in each of which rows and columns are exchanged:
    /// `[blockCount * rows, columns]` becomes `[blockCount * columns, rows]`. Quantized weights are dequantized.
    /// Precondition: `blockCount` divides the number of rows.
    public func transposingBlocks(_ blockCount: Int) -> LinearWeights {
        switch self {
        case .dense(let tensor): .dense(tensor.transposingBlocks(blockCount))
        case .quantized(let matrix):
            .dense(matrix.dequantized(as: matrix.computeType).transposingBlocks(blockCount))
        }
    }
}

extension HostTensor {
    fileprivate func transposingBlocks(_ blockCount: Int) -> HostTensor {
        precondition(shape[0] % blockCount == 0, "\(shape[0]) rows in \(blockCount) blocks")
        let (rows, columns, size) = (shape[0] / blockCount, shape[1], elementType.byteCount)
        let memory = HostMemory(byteCount: byteCount) { target in
            withUnsafeBytes { source in
                guard let from = source.baseAddress, let to = target.baseAddress else { return }
                for block in 0..<blockCount {
                    let start = block * rows * columns
                    for row in 0..<rows {
                        for column in 0..<columns {
                            (to + (start + column * rows + row) * size).copyMemory(
                                from: from + (start + row * columns + column) * size, byteCount: size)
                        }
                    }
                }
            }
        }
        return HostTensor(elementType: elementType, shape: [blockCount * columns, rows], memory: memory)
    }
}

/// Rows of a quantized matrix at equal distances.
private struct StridedRows: QuantizedRows {
    let matrix: QuantizedMatrix
    let first: Int
    let step: Int

    func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) {
        for (index, row) in range.enumerated() {
            let source = first + row * step
            matrix.read(source..<source + 1, into: target + index * matrix.rowByteCount)
        }
    }

    func unload() { matrix.unload() }
}

/// Some rows of a quantized matrix.
private struct SelectedRows: QuantizedRows {
    let matrix: QuantizedMatrix
    let ranges: [Range<Int>]

    func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) {
        var (target, start) = (target, 0)
        for source in ranges {
            // The part of `source` that `range` wants; rows are numbered over all ranges.
            let lower = max(range.lowerBound, start)
            let upper = min(range.upperBound, start + source.count)
            if lower < upper {
                let first = source.lowerBound + lower - start
                matrix.read(first..<first + upper - lower, into: target)
                target += (upper - lower) * matrix.rowByteCount
            }
            start += source.count
        }
    }

    func unload() { matrix.unload() }
}
