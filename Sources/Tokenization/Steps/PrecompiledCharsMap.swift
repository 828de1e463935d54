/// The normalization table of a SentencePiece model: a double-array trie of texts (Aoe 1989; the layout is that of Darts)
/// and the texts that replace them.
struct PrecompiledCharsMap: Sendable {
    private let units: [UInt32]
    private let replacements: [UInt8]

    /// The table of `precompiled_charsmap`: the trie's length in bytes, the trie, and texts that end with zero. nil: the
    /// bytes are not such a table.
    init?(_ bytes: [UInt8]) {
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
        }
        guard bytes.count >= 4 else { return nil }
        let count = Int(word(0))
        guard count % 4 == 0, count > 0, 4 + count <= bytes.count else { return nil }
        units = stride(from: 4, to: 4 + count, by: 4).map(word)
        replacements = Array(bytes[(4 + count)...])
    }

    /// The text that replaces the shortest beginning of `text` that is in the trie; nil: none is.
    private func replacement(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 0x200) >> 6) }
        var node = offset(units[0])
        for byte in text {
            node ^= Int(byte)
            guard byte != 0, node < units.count, units[node] & 0x8000_00FF == UInt32(byte) else { return nil }
            let unit = units[node]
            node ^= offset(unit)
            guard unit & 0x100 != 0 else { continue }
            guard node < units.count else { return nil }
            let start = Int(units[node] & 0x7FFF_FFFF)
            guard start <= replacements.count else { return nil }
            return replacements[start...].prefix { $0 != 0 }
        }
        return nil
    }

    /// `text`, which is valid UTF-8, with its characters replaced. As in `tokenizers`, a character of up to five bytes is
    /// replaced as a whole, and otherwise each of its scalars.
    func apply(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        for character in String(decoding: text, as: UTF8.self) {
            let bytes = Array(character.utf8)
            if bytes.count < 6, let replacement = replacement(bytes[...]) {
                result += replacement
                continue
            }
            for scalar in character.unicodeScalars {
                let bytes = Array(UTF8.encode(scalar) ?? .init())
                result += replacement(bytes[...]) ?? bytes[...]
            }
        }
        return result
    }
}
