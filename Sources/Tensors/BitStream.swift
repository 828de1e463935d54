/// Reads fields of equal width from 32-bit little-endian words, lowest bits first; a field may span two words.
public struct BitReader {
    private var words: UnsafeRawPointer
    private let bitCount: UInt64
    private var buffer: UInt64 = 0
    private var available: UInt64 = 0

    /// Starts at the first bit of `words`.
    public init(_ words: UnsafeRawPointer, bitCount: Int) {
        self.words = words
        self.bitCount = UInt64(truncatingIfNeeded: bitCount)
    }

    /// The next field. Precondition: there is one.
    public mutating func next() -> UInt32 {
        if available < bitCount {
            buffer |= UInt64(UInt32(littleEndian: words.loadUnaligned(as: UInt32.self))) << available
            words += 4
            available &+= 32
        }
        let field = UInt32(truncatingIfNeeded: buffer) & ((1 << UInt32(truncatingIfNeeded: bitCount)) &- 1)
        buffer >>= bitCount
        available &-= bitCount
        return field
    }
}

/// Writes fields of equal width to 32-bit little-endian words, lowest bits first; a field may span two words.
public struct BitWriter {
    private var words: UnsafeMutableRawPointer
    private let bitCount: UInt64
    private var buffer: UInt64 = 0
    private var used: UInt64 = 0

    /// Starts at the first bit of `words`.
    public init(_ words: UnsafeMutableRawPointer, bitCount: Int) {
        self.words = words
        self.bitCount = UInt64(truncatingIfNeeded: bitCount)
    }

    /// Appends the lowest bits of `field`. Precondition: the others are zero.
    public mutating func append(_ field: UInt32) {
        buffer |= UInt64(field) << used
        used &+= bitCount
        if used >= 32 { flush() }
    }

    /// Writes what is left of a last word; its upper bits are zero.
    public mutating func finish() {
        if used > 0 { flush() }
    }

    private mutating func flush() {
        words.storeBytes(of: UInt32(truncatingIfNeeded: buffer).littleEndian, as: UInt32.self)
        words += 4
        buffer >>= 32
        used = used > 32 ? used &- 32 : 0
    }
}
