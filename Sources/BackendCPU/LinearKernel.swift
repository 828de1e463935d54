import CPUKernels

/// A linear operation with everything but the rows and panels filled in. Plain data.
struct LinearKernel {
    enum Function {
        case dense(quire_linear_fn)
        /// Row-major weights of few outputs.
        case rowMajor(quire_row_major_fn, quire_dtype)
        case quantized(quire_quantized_linear_fn, quire_quantized)
    }

    let function: Function
    /// The prepacked weights.
    let matrix: UnsafeRawPointer
    let input: UnsafeRawPointer
    let inputByteStride: Int
    let inputStride: Int
    let output: UnsafeMutablePointer<Float>
    let inputSize: Int
    let outputSize: Int
    let bias: UnsafePointer<Float>?
    let panelCount: Int

    /// Computes outputs of panels `panels` for rows `rows`.
    @inline(__always)
    private func perform(rows: Range<Int>, panels: Range<Int>) {
        guard !rows.isEmpty, !panels.isEmpty else { return }
        let source = input + rows.lowerBound * inputByteStride
        let target = output + rows.lowerBound * outputSize
        switch function {
        case .dense(let function):
            function(
                matrix, source, inputStride, target, outputSize, rows.count, inputSize, outputSize, bias,
                panels.lowerBound, panels.upperBound)
        case .rowMajor: preconditionFailure("only matrices of adapters are row-major")
        case .quantized(let function, let shape):
            withUnsafePointer(to: shape) {
                function(
                    $0, matrix, source, inputStride, target, outputSize, rows.count, bias, panels.lowerBound,
                    panels.upperBound)
            }
        }
    }

    /// Its cost with `rowCount` rows, in multiplications of a panel's column.
    @inline(__always)
    func cost(rowCount: Int) -> Int { panelCount * inputSize * rowCount }

    /// Computes the part between two costs, counted panel after panel and row after row within a panel.
    ///
    /// Both bounds are rounded the same way, so that the parts of two threads meet exactly. Threads split the rows of one
    /// panel only where there are many: a thread with few rows of a panel would read all of it for little work.
    func perform(costs: Range<Int>, rowCount: Int) {
        let total = panelCount * rowCount
        let first = boundary(costs.lowerBound, rowCount: rowCount, total: total)
        let last = boundary(costs.upperBound, rowCount: rowCount, total: total)
        guard first < last else { return }
        let (firstPanel, firstRow) = first.quotientAndRemainder(dividingBy: rowCount)
        let (lastPanel, lastRow) = last.quotientAndRemainder(dividingBy: rowCount)
        if firstPanel == lastPanel {
            perform(rows: firstRow..<lastRow, panels: firstPanel..<firstPanel + 1)
            return
        }
        if firstRow > 0 { perform(rows: firstRow..<rowCount, panels: firstPanel..<firstPanel + 1) }
        perform(rows: 0..<rowCount, panels: (firstRow > 0 ? firstPanel + 1 : firstPanel)..<lastPanel)
        if lastRow > 0 { perform(rows: 0..<lastRow, panels: lastPanel..<lastPanel + 1) }
    }

    /// The (panel, row) nearest to a cost, as `panel * rowCount + row`.
    @inline(__always)
    private func boundary(_ cost: Int, rowCount: Int, total: Int) -> Int {
        let rowsOfATile = 12
        let exact = min(max(cost / inputSize, 0), total)
        guard rowCount >= 2 * rowsOfATile else { return (exact + rowCount / 2) / rowCount * rowCount }
        let (panel, row) = exact.quotientAndRemainder(dividingBy: rowCount)
        return panel * rowCount + row / rowsOfATile * rowsOfATile
    }
}
