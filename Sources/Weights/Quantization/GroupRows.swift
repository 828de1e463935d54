internal import Tensors

/// Rows of a group-quantized matrix, made from the tensors of a checkpoint when they are read.
struct GroupRows: QuantizedRows {
    /// Which dimension of all three tensors the outputs are.
    enum Orientation: Sendable {
        /// `[inputs, outputs]` and `[groups, outputs]`: GPTQ and AWQ.
        case outputsLast
        /// `[outputs, inputs]` and `[outputs, groups]`: compressed-tensors.
        case outputsFirst
    }

    let format: GroupFormat
    let inputSize: Int
    let orientation: Orientation
    let quanta: PackedTensor
    let scales: StoredTensor
    /// The zeros where the format has them.
    let zeros: PackedTensor?
    /// What is added to a stored zero; only as many bits as it has are kept.
    let zeroShift: UInt32
    /// The input of each stored column; nil where they are in order.
    let inputOrder: [Int32]?
    let progress: LoadingProgress?

    func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) {
        let rowByteCount = format.rowByteCount(inputSize: inputSize)
        for (index, output) in range.enumerated() {
            let row = target + index * rowByteCount
            writeQuanta(of: output, to: row)
            writeZeros(of: output, to: row + format.zeroByteOffset(inputSize: inputSize))
            writeScales(of: output, to: row + format.scaleByteOffset(inputSize: inputSize))
        }
        guard let progress else { return }
        let (total, outputSize) = (byteCount, scales.shape[orientation == .outputsLast ? 1 : 0])
        progress.advance(by: total * range.upperBound / outputSize - total * range.lowerBound / outputSize)
    }

    func unload() {
        quanta.tensor.unload()
        scales.unload()
        zeros?.tensor.unload()
    }

    private var byteCount: Int { quanta.tensor.byteCount + scales.byteCount + (zeros?.tensor.byteCount ?? 0) }

    private func writeQuanta(of output: Int, to target: UnsafeMutableRawPointer) {
        quanta.withWords { words in
            var writer = BitWriter(target, bitCount: format.bitCount)
            for column in 0..<inputSize {
                let input = inputOrder.map { Int($0[column]) } ?? column
                writer.append(
                    orientation == .outputsLast
                        ? quanta.field(words, row: input, column: output)
                        : quanta.field(words, row: output, column: input))
            }
            writer.finish()
        }
    }

    private func writeZeros(of output: Int, to target: UnsafeMutableRawPointer) {
        guard let zeros, format.hasZeros else { return }
        zeros.withWords { words in
            let mask: UInt32 = (1 << UInt32(format.bitCount)) - 1
            var writer = BitWriter(target, bitCount: format.bitCount)
            for group in 0..<format.groupCount(inputSize: inputSize) {
                let stored =
                    orientation == .outputsLast
                    ? zeros.field(words, row: group, column: output) : zeros.field(words, row: output, column: group)
                writer.append((stored &+ zeroShift) & mask)
            }
            writer.finish()
        }
    }

    private func writeScales(of output: Int, to target: UnsafeMutableRawPointer) {
        let size = format.scaleType.byteCount
        let groupCount = format.groupCount(inputSize: inputSize)
        // A row ends on a whole word.
        if groupCount * size % 4 != 0 { target.storeBytes(of: 0, toByteOffset: groupCount * size, as: UInt16.self) }
        scales.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            for group in 0..<groupCount {
                let index =
                    orientation == .outputsLast
                    ? group * scales.shape[1] + output : output * scales.shape[1] + group
                (target + group * size).copyMemory(from: source + index * size, byteCount: size)
            }
        }
    }
}
