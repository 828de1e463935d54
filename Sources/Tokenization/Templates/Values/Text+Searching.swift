extension Text {
    /// Where `needle` first occurs in `bytes`, in time linear in both.
    static func firstIndex(of needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = needle.first else { return bytes.startIndex }
        guard needle.count <= bytes.count else { return nil }
        if needle.count == 1 { return bytes.firstIndex(of: first) }
        if needle.count > 32 { return knuthMorrisPratt(needle, bytes) }
        let last = bytes.endIndex - needle.count
        var index = bytes.startIndex
        while index <= last {
            guard let candidate = bytes[index...last].firstIndex(of: first) else { return nil }
            if bytes[candidate...].starts(with: needle) { return candidate }
            index = candidate + 1
        }
        return nil
    }

    /// Where `needle` last occurs in `bytes`.
    static func lastIndex(of needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard !needle.isEmpty else { return bytes.endIndex }
        let found = firstIndex(of: needle.reversed(), in: Array(bytes.reversed())[...])
        return found.map { bytes.endIndex - $0 - needle.count }
    }

    /// Knuth, Morris, Pratt, "Fast pattern matching in strings", 1977.
    private static func knuthMorrisPratt(_ needle: [UInt8], _ bytes: ArraySlice<UInt8>) -> Int? {
        var borders = [0]
        var border = 0
        for byte in needle.dropFirst() {
            while border > 0, byte != needle[border] { border = borders[border - 1] }
            if byte == needle[border] { border += 1 }
            borders.append(border)
        }
        var matched = 0
        for index in bytes.indices {
            while matched > 0, bytes[index] != needle[matched] { matched = borders[matched - 1] }
            if bytes[index] == needle[matched] { matched += 1 }
            if matched == needle.count { return index + 1 - matched }
        }
        return nil
    }

    func contains(_ other: Text) -> Bool { Text.firstIndex(of: other.bytes, in: bytes[...]) != nil }

    /// The number of occurrences that do not overlap; of nothing, one more than the code points.
    func occurrences(of other: Text) -> Int {
        guard !other.isEmpty else { return count + 1 }
        var occurrences = 0
        var rest = bytes[...]
        while let found = Text.firstIndex(of: other.bytes, in: rest) {
            occurrences += 1
            rest = bytes[(found + other.bytes.count)...]
        }
        return occurrences
    }

    /// Every occurrence of `old`, at most `limit` of them, replaced.
    func replacing(_ old: Text, with new: Text, limit: Int?) -> Text {
        var left = limit ?? Int.max
        var result: [UInt8] = []
        if old.isEmpty {
            for character in characters {
                if left > 0 { result.append(contentsOf: new.bytes) }
                left = max(left - 1, 0)
                result.append(contentsOf: character.bytes)
            }
            if left > 0 { result.append(contentsOf: new.bytes) }
            return Text(result)
        }
        var rest = bytes[...]
        while left > 0, let found = Text.firstIndex(of: old.bytes, in: rest) {
            result.append(contentsOf: rest[..<found])
            result.append(contentsOf: new.bytes)
            rest = bytes[(found + old.bytes.count)...]
            left -= 1
        }
        result.append(contentsOf: rest)
        return Text(result)
    }
}
