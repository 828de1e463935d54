import Backends
import CPUKernels
import SharedValues

/// A `selectedLinear` with everything but the rows filled in. Plain data.
///
/// Rows are grouped by the matrix that they have chosen, so that each matrix is read once for many rows. Each thread groups
/// all rows by itself, which takes less time than a barrier, and computes some panels of some matrices.
struct SelectedKernel {
    /// What chooses the matrices of a row.
    enum Selector {
        /// Routes, `[rows, 2 * choiceCount]`; the first half of a row are numbers of matrices.
        case routes(UnsafePointer<Float>)
        /// The batch's adapter slots; a slot without a matrix in this set counts as none.
        case adapters(isPresent: UnsafePointer<Bool>)
    }

    /// Reads the first matrix, for the first choice of the first row.
    let linear: LinearKernel
    /// The prepacked matrices, `[matrixCount]`.
    let matrices: UnsafePointer<UnsafeRawPointer>
    let matrixCount: Int
    let selector: Selector
    /// Choices of a row; 1 with adapters.
    let choiceCount: Int
    /// Bytes of the input of one choice.
    let inputByteCount: Int
    /// Whether all choices of a row read the same input.
    let isShared: Bool
    /// Outputs in a panel.
    let panelWidth: Int
    /// Whether products are added to what is in the output.
    let isAdding: Bool
    /// Rounds inputs to bf16, where the function reads such and the input is not rounded yet.
    let rounding: quire_from_f32_fn?

    /// Bytes of an input as the function reads it.
    private var gatheredByteCount: Int { rounding == nil ? inputByteCount : linear.inputStride * 2 }

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

    /// Computes a thread's share. `adapterSlots` are those of the batch, nil where no row has an adapter.
    func perform(
        rowCount: Int, adapterSlots: UnsafePointer<Int32>?, thread: Int, threadCount: Int,
        scratch: UnsafeMutableRawPointer
    ) {
        let ends = scratch.assumingMemoryBound(to: Int32.self)
        let members = ends + matrixCount + 1
        switch selector {
        case .routes(let routes):
            group(rowCount, ends, members) { row, choice in Int(routes[row * 2 * choiceCount + choice]) }
        case .adapters(let isPresent):
            guard let adapterSlots else { return }
            group(rowCount, ends, members) { row, _ in
                let slot = Int(adapterSlots[row])
                return slot >= 0 && isPresent[slot] ? slot : -1
            }
        }
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
    /// `ends[m - 1]` to `ends[m]`, rows in order. A choice whose `matrix` is negative is left out.
    @inline(__always)
    private func group(
        _ rowCount: Int, _ ends: UnsafeMutablePointer<Int32>, _ members: UnsafeMutablePointer<Int32>,
        matrix: (_ row: Int, _ choice: Int) -> Int
    ) {
        ends.update(repeating: 0, count: matrixCount + 1)
        for row in 0..<rowCount {
            for choice in 0..<choiceCount {
                let matrix = matrix(row, choice)
                if matrix >= 0 { ends[matrix + 1] += 1 }
            }
        }
        for matrix in 1...matrixCount { ends[matrix] += ends[matrix - 1] }
        // `ends[m]` is where matrix `m` begins, and becomes where it ends.
        for row in 0..<rowCount {
            for choice in 0..<choiceCount {
                let matrix = matrix(row, choice)
                guard matrix >= 0 else { continue }
                members[Int(ends[matrix])] = Int32(truncatingIfNeeded: row * choiceCount + choice)
                ends[matrix] += 1
            }
        }
    }

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
        if members.count == 1, !isAdding, rounding == nil {
            multiply(matrix, input(members[0]), output(members[0]), rowCount: 1, panels)
            return
        }
        let products = (chunk + Self.chunkSize * inputByteCount).assumingMemoryBound(to: Float.self)
        let columns = panels.lowerBound * panelWidth..<min(panels.upperBound * panelWidth, linear.outputSize)
        var start = 0
        while start < members.count {
            let count = min(Self.chunkSize, members.count - start)
            for index in 0..<count { gather(members[start + index], chunk + index * gatheredByteCount) }
            multiply(matrix, chunk, products, rowCount: count, panels)
            for index in 0..<count {
                let target = output(members[start + index]) + columns.lowerBound
                let source = products + index * linear.outputSize + columns.lowerBound
                if isAdding {
                    for column in 0..<columns.count { target[column] += source[column] }
                } else {
                    target.update(from: source, count: columns.count)
                }
            }
            start += count
        }
    }

    private func gather(_ member: Int32, _ target: UnsafeMutableRawPointer) {
        guard let rounding else {
            target.copyMemory(from: input(member), byteCount: inputByteCount)
            return
        }
        let source = input(member).assumingMemoryBound(to: Float.self)
        rounding(.bf16, source, linear.inputSize, target, linear.inputStride, 1, linear.inputSize, 1)
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
        case .rowMajor(let function, let type):
            function(
                type, matrices[matrix], input.assumingMemoryBound(to: Float.self), linear.inputStride, output,
                linear.outputSize, rowCount, linear.inputSize, panels.lowerBound * panelWidth,
                min(panels.upperBound * panelWidth, linear.outputSize))
        case .quantized(let function, let shape):
            withUnsafePointer(to: shape) {
                function(
                    $0, matrices[matrix], input, linear.inputStride, output, linear.outputSize, rowCount, bias,
                    panels.lowerBound, panels.upperBound)
            }
        }
    }
}
