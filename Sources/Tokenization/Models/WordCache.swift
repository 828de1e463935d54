/// The tokens of words that occurred before: most words of a text are among a few thousand.
///
/// Each word has one place, by its hash; a new word replaces the one that was there. Only words of up to 15 bytes and
/// four tokens are kept, so that an entry has a fixed size.
final class WordCache {
    private struct Entry {
        /// The bytes, and the number of them in the last one.
        var low: UInt64 = 0
        var high: UInt64 = 0
        var tokens: (TokenID, TokenID, TokenID, TokenID) = (0, 0, 0, 0)
        var count: Int = 0
    }

    /// A word as two integers.
    struct Key {
        fileprivate let low: UInt64
        fileprivate let high: UInt64
        fileprivate let slot: Int
    }

    private let entries = UnsafeMutablePointer<Entry>.allocate(capacity: count)
    private static let count = 8_192

    init() { entries.initialize(repeating: Entry(), count: Self.count) }

    deinit { entries.deallocate() }

    /// The key of `word`; nil: it is too long or empty.
    @inline(__always)
    static func key(_ word: UnsafeBufferPointer<UInt8>) -> Key? {
        guard word.count < 16, word.count > 0 else { return nil }
        let raw = UnsafeRawBufferPointer(word)
        var (low, high): (UInt64, UInt64) = (0, 0)
        if raw.count >= 8 {
            low = raw.loadUnaligned(as: UInt64.self)
            // The last eight bytes, of which the first ones may be in `low` as well.
            high = raw.loadUnaligned(fromByteOffset: raw.count - 8, as: UInt64.self) >> UInt64((16 - raw.count) * 8)
        } else {
            for offset in 0..<raw.count { low |= UInt64(raw[offset]) << UInt64(8 * offset) }
        }
        high |= UInt64(raw.count) << 56
        let hash = (low ^ (high &* 0xFF51_AFD7_ED55_8CCD)) &* 0x9E37_79B9_7F4A_7C15
        return Key(low: low, high: high, slot: Int(hash >> (64 - 13)))
    }

    /// Appends the tokens of the word to `output`, or returns false if they are not known.
    @inline(__always)
    func append(_ key: Key, to output: inout [TokenID]) -> Bool {
        let entry = entries[key.slot]
        guard entry.low == key.low, entry.high == key.high else { return false }
        output.append(entry.tokens.0)
        if entry.count > 1 { output.append(entry.tokens.1) }
        if entry.count > 2 { output.append(entry.tokens.2) }
        if entry.count > 3 { output.append(entry.tokens.3) }
        return true
    }

    /// Keeps the tokens of a word, which are at the end of `output`, unless there are more than four or none.
    func store(_ key: Key, _ output: [TokenID], from start: Int) {
        let count = output.count - start
        guard (1...4).contains(count) else { return }
        func token(_ index: Int) -> TokenID { index < count ? output[start + index] : 0 }
        entries[key.slot] = Entry(
            low: key.low, high: key.high, tokens: (token(0), token(1), token(2), token(3)), count: count)
    }
}
