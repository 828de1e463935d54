import Backends
import CPUKernels
import SharedValues

/// A `selectedLinear` with everything but the rows filled in. Plain data.
///
/// Rows are grouped by the matrix that they have chosen, so that each matrix is read once for many rows. Each thread groups
/// all rows by itself, which takes less time than a barrier, and computes some panels of some matrices.
struct SelectedKernel {
    /// Reads the first matrix, for the first choice of the first row.
    let linear: LinearKernel
    /// The prepacked matrices, `[matrixCount]`.
    let matrices: UnsafePointer<UnsafeRawPointer>
    let matrixCount: Int
    /// `[rows, 2 * choiceCount]`; the first half of a row are numbers of matrices.
    let routes: UnsafePointer<Float>
    let choiceCount: Int
    /// Bytes of the input of one choice.
    let inputByteCount: Int
    /// Whether all choices of a row read the same input.
    let isShared: Bool

    /// Rows that are multiplied together. More do not read the weights much less often.
    private static let chunkSize = 64
    /// What reading a panel costs, in rows that are multiplied with it.
    private static let readingCost = 4

    /// Bytes of scratch memory that each thread needs for batches of up to `maxRowCount` rows.
    func scratchByteCount(maxRowCount: Int) -> Int {
        let groups = (matrixCount + 1 + maxRowCount * choiceCount) * 4
        let chunk = Self.chunkSize * (inputByteCount + linear.outputSize * 4)
        return groups.roundedUp(to: 64) + chunk
    }

    /// Computes a thread's share.
    func perform(rowCount: Int, thread: Int, threadCount: Int, scratch: UnsafeMutableRawPointer) {
        let ends = scratch.assumingMemoryBound(to: Int32.self)
        let members = ends + matrixCount + 1
        group(rowCount, ends, members)
        var total = 0
        for matrix in 0..<matrixCount { total += cost(rowCount: count(ends, matrix)) }
        let mine = share(of: total, thread: thread, threadCount: threadCount)
        let groupByteCount = (matrixCount + 1 + rowCount * choiceCount) * 4
        let chunk = scratch + groupByteCount.roundedUp(to: 64)
        var base = 0
        for matrix in 0..<matrixCount {
            let rowCount = count(ends, matrix)
            guard rowCount > 0 else { continue }
            let cost = cost(rowCount: rowCount)
            defer { base += cost }
            guard base < mine.upperBound, base + cost > mine.lowerBound else { continue }
            // Both bounds are rounded the same way, so that the parts of two threads meet exactly.
            let first = max(mine.lowerBound - base, 0) * linear.panelCount / cost
            let last = min(mine.upperBound - base, cost) * linear.panelCount / cost
            guard first < last else { continue }
            let rows = UnsafeBufferPointer(start: members + Int(matrix == 0 ? 0 : ends[matrix - 1]), count: rowCount)
            perform(matrix, rows, first..<last, chunk)
        }
    }

    private func cost(rowCount: Int) -> Int {
        rowCount == 0 ? 0 : linear.panelCount * (rowCount + Self.readingCost)
    }

    private func count(_ ends: UnsafePointer<Int32>, _ matrix: Int) -> Int {
        Int(ends[matrix] - (matrix == 0 ? 0 : ends[matrix - 1]))
    }

    /// Sorts the choices of all rows by their matrices: `members` gets `row * choiceCount + choice`, those of matrix `m` from
    /// `ends[m - 1]` to `ends[m]`, rows in order.
    private func group(_ rowCount: Int, _ ends: UnsafeMutablePointer<Int32>, _ members: UnsafeMutablePointer<Int32>) {
        ends.update(repeating: 0, count: matrixCount + 1)
        for row in 0..<rowCount {
            for choice in 0..<choiceCount { ends[matrix(row, choice) + 1] += 1 }
        }
        for matrix in 1...matrixCount { ends[matrix] += ends[matrix - 1] }
        // `ends[m]` is where matrix `m` begins, and becomes where it ends.
        for row in 0..<rowCount {
            for choice in 0..<choiceCount {
                let matrix = matrix(row, choice)
                members[Int(ends[matrix])] = Int32(truncatingIfNeeded: row * choiceCount + choice)
                ends[matrix] += 1
            }
        }
    }

    private func matrix(_ row: Int, _ choice: Int) -> Int { Int(routes[row * 2 * choiceCount + choice]) }

    private func input(_ member: Int32) -> UnsafeRawPointer {
        let (row, choice) = Int(member).quotientAndRemainder(dividingBy: choiceCount)
        return linear.input + row * linear.inputByteStride + (isShared ? 0 : choice * inputByteCount)
    }

    private func output(_ member: Int32) -> UnsafeMutablePointer<Float> {
        linear.output + Int(member) * linear.outputSize
    }

    /// Multiplies the inputs of `members` with panels of one matrix.
    private func perform(
        _ matrix: Int, _ members: UnsafeBufferPointer<Int32>, _ panels: Range<Int>, _ chunk: UnsafeMutableRawPointer
    ) {
        if members.count == 1 {
            multiply(matrix, input(members[0]), output(members[0]), rowCount: 1, panels)
            return
        }
        let products = (chunk + Self.chunkSize * inputByteCount).assumingMemoryBound(to: Float.self)
        let columns =
            panels.lowerBound
            * Int(quire_panel_width)..<min(
                panels.upperBound * Int(quire_panel_width), linear.outputSize)
        var start = 0
        while start < members.count {
            let count = min(Self.chunkSize, members.count - start)
            for index in 0..<count {
                (chunk + index * inputByteCount).copyMemory(
                    from: input(members[start + index]), byteCount: inputByteCount)
            }
            multiply(matrix, chunk, products, rowCount: count, panels)
            for index in 0..<count {
                (output(members[start + index]) + columns.lowerBound).update(
                    from: products + index * linear.outputSize + columns.lowerBound, count: columns.count)
            }
            start += count
        }
    }

    private func multiply(
        _ matrix: Int, _ input: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>, rowCount: Int,
        _ panels: Range<Int>
    ) {
        let bias = linear.bias.map { $0 + matrix * linear.outputSize }
        switch linear.function {
        case .dense(let function):
            function(
                matrices[matrix], input, linear.inputStride, output, linear.outputSize, rowCount, linear.inputSize,
                linear.outputSize, bias, panels.lowerBound, panels.upperBound)
        case .quantized(let function, let shape):
            withUnsafePointer(to: shape) {
                function(
                    $0, matrices[matrix], input, linear.inputStride, output, linear.outputSize, rowCount, bias,
                    panels.lowerBound, panels.upperBound)
            }
        }
    }
}
