import Tensors

/// Rows of a group-quantized matrix. They are built from the checkpoint's tensors when a backend reads them.
struct GroupRows: QuantizedRows {
    /// The dimension of the outputs in codes, scales and zeros.
    enum Orientation: Sendable {
        /// `[inputs, outputs]` and `[groups, outputs]`: GPTQ and AWQ.
        case outputsLast
        /// `[outputs, inputs]` and `[outputs, groups]`: compressed-tensors.
        case outputsFirst
    }

    let format: GroupFormat
    let inputSize: Int
    let orientation: Orientation
    let codes: CodeTensor
    let scales: StoredTensor
    /// The zeros; nil: the format has none.
    let zeros: CodeTensor?
    /// Added to a stored zero, modulo the range of a code.
    let zeroShift: UInt32
    /// The input of each stored column; nil: inputs are stored in order.
    let inputOrder: [Int32]?
    let progress: LoadingProgress?

    func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) {
        let rowByteCount = format.rowByteCount(inputSize: inputSize)
        for (index, output) in range.enumerated() {
            let row = target + index * rowByteCount
            writeCodes(of: output, to: row)
            writeZeros(of: output, to: row + format.zeroByteOffset(inputSize: inputSize))
            writeScales(of: output, to: row + format.scaleByteOffset(inputSize: inputSize))
        }
        guard let progress else { return }
        let (total, outputSize) = (byteCount, scales.shape[orientation == .outputsLast ? 1 : 0])
        progress.advance(by: total * range.upperBound / outputSize - total * range.lowerBound / outputSize)
    }

    func unload() {
        codes.tensor.unload()
        scales.unload()
        zeros?.tensor.unload()
    }

    private var byteCount: Int { codes.tensor.byteCount + scales.byteCount + (zeros?.tensor.byteCount ?? 0) }

    private func writeCodes(of output: Int, to target: UnsafeMutableRawPointer) {
        codes.withWords { words in
            var writer = BitWriter(target, bitCount: format.bitCount)
            for column in 0..<inputSize {
                let input = inputOrder.map { Int($0[column]) } ?? column
                writer.append(
                    orientation == .outputsLast
                        ? codes.code(words, row: input, column: output)
                        : codes.code(words, row: output, column: input))
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
                    ? zeros.code(words, row: group, column: output) : zeros.code(words, row: output, column: group)
                writer.append((stored &+ zeroShift) & mask)
            }
            writer.finish()
        }
    }

    private func writeScales(of output: Int, to target: UnsafeMutableRawPointer) {
        let size = format.scaleType.byteCount
        let groupCount = format.groupCount(inputSize: inputSize)
        // Rows are padded to whole words.
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

/// A tensor of 32-bit words, each of which holds several codes: the small unsigned integers of quantized weights and
/// zeros.
struct CodeTensor: Sendable {
    /// Which codes share a word.
    enum Order: Sendable {
        /// Neighbours of a column, as one stream of bits: `[rows * bitCount / 32, columns]`.
        case alongRows
        /// Neighbours of a row, as one stream of bits: `[rows, columns * bitCount / 32]`.
        case alongColumns
        /// Eight 4-bit neighbours of a row in AutoAWQ's order: nibble i of a word is column {0, 2, 4, 6, 1, 3, 5,
        /// 7}[i].
        case interleaved
    }

    let tensor: StoredTensor
    private let order: Order
    let bitCount: Int
    private let wordsPerRow: Int
    private let wordAddend: UInt32

    /// Codes of `bitCount` bits in `tensor`, after `wordAddend` is added to each of its words, with carries.
    /// Precondition: two dimensions of 32-bit words.
    init(_ tensor: StoredTensor, bitCount: Int, _ order: Order, wordAddend: UInt32 = 0) {
        precondition(tensor.shape.count == 2 && tensor.type.blockByteCount == 4, "not a matrix of words")
        self.tensor = tensor
        self.order = order
        self.bitCount = bitCount
        self.wordAddend = wordAddend
        wordsPerRow = tensor.shape[1]
    }

    /// Calls `body` with the words, which `code` reads.
    func withWords<Result>(_ body: (UnsafeRawPointer) -> Result) -> Result? {
        tensor.withUnsafeBytes { $0.baseAddress.map(body) }
    }

    /// The code at (`row`, `column`).
    ///
    /// - Precondition: it exists, and `words` are those of `withWords`.
    @inline(__always)
    func code(_ words: UnsafeRawPointer, row: Int, column: Int) -> UInt32 {
        switch order {
        case .alongRows:
            let bit = row &* bitCount
            return code(words, first: (bit >> 5) &* wordsPerRow &+ column, next: wordsPerRow, shift: bit & 31)
        case .alongColumns:
            let bit = column &* bitCount
            return code(words, first: row &* wordsPerRow &+ bit >> 5, next: 1, shift: bit & 31)
        case .interleaved:
            // Column j of eight is nibble {0, 4, 1, 5, 2, 6, 3, 7}[j]: half of an even one, four more for an odd one.
            let nibble = (column & 7) >> 1 &+ (column & 1) &* 4
            return code(words, first: row &* wordsPerRow &+ column >> 3, next: 0, shift: nibble &* 4)
        }
    }

    @inline(__always)
    private func code(_ words: UnsafeRawPointer, first: Int, next: Int, shift: Int) -> UInt32 {
        var bits = word(words, first) >> UInt32(truncatingIfNeeded: shift)
        if shift &+ bitCount > 32 {
            bits |= word(words, first &+ next) << UInt32(truncatingIfNeeded: 32 &- shift)
        }
        return bits & ((1 << UInt32(truncatingIfNeeded: bitCount)) &- 1)
    }

    @inline(__always)
    private func word(_ words: UnsafeRawPointer, _ index: Int) -> UInt32 {
        UInt32(littleEndian: words.loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self)) &+ wordAddend
    }
}
