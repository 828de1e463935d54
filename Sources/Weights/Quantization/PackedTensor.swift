/// A tensor of 32-bit words that hold several small unsigned numbers each.
struct PackedTensor: Sendable {
    /// Which numbers share a word.
    enum Packing: Sendable {
        /// Neighbours of a column, as one stream of bits: `[rows * bitCount / 32, columns]`.
        case alongRows
        /// Neighbours of a row, as one stream of bits: `[rows, columns * bitCount / 32]`.
        case alongColumns
        /// Eight 4-bit neighbours of a row in AutoAWQ's order: nibble i of a word is column {0, 2, 4, 6, 1, 3, 5, 7}[i].
        case interleaved
    }

    let tensor: StoredTensor
    private let packing: Packing
    let bitCount: Int
    private let wordsPerRow: Int
    private let wordAddend: UInt32

    /// Numbers of `bitCount` bits in `tensor`, after `wordAddend` was added to each of its words, carries included.
    /// Precondition: two dimensions of 32-bit words.
    init(_ tensor: StoredTensor, bitCount: Int, _ packing: Packing, wordAddend: UInt32 = 0) {
        precondition(tensor.shape.count == 2 && tensor.type.blockByteCount == 4, "not a matrix of words")
        self.tensor = tensor
        self.packing = packing
        self.bitCount = bitCount
        self.wordAddend = wordAddend
        wordsPerRow = tensor.shape[1]
    }

    /// Lends the words, for `field`.
    func withWords<Result>(_ body: (UnsafeRawPointer) -> Result) -> Result? {
        tensor.withUnsafeBytes { $0.baseAddress.map(body) }
    }

    /// The number at (`row`, `column`). Precondition: it exists, and `words` are the lent ones.
    @inline(__always)
    func field(_ words: UnsafeRawPointer, row: Int, column: Int) -> UInt32 {
        switch packing {
        case .alongRows:
            let bit = row &* bitCount
            return field(words, first: (bit >> 5) &* wordsPerRow &+ column, next: wordsPerRow, shift: bit & 31)
        case .alongColumns:
            let bit = column &* bitCount
            return field(words, first: row &* wordsPerRow &+ bit >> 5, next: 1, shift: bit & 31)
        case .interleaved:
            // Column j of eight is nibble {0, 4, 1, 5, 2, 6, 3, 7}[j]: half of an even one, four more for an odd one.
            let nibble = (column & 7) >> 1 &+ (column & 1) &* 4
            return field(words, first: row &* wordsPerRow &+ column >> 3, next: 0, shift: nibble &* 4)
        }
    }

    @inline(__always)
    private func field(_ words: UnsafeRawPointer, first: Int, next: Int, shift: Int) -> UInt32 {
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
