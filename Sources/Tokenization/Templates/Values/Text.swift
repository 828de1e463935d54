/// Text as Python sees it: code points, compared and hashed by value, kept as UTF-8.
///
/// Swift's `String` treats canonically equivalent texts as one and counts graphemes; templates must not.
struct Text: Hashable, Sendable {
    var bytes: [UInt8]
    /// Whether `safe` or `escape` made it; only adding to it and its `repr` differ.
    var isMarkup = false

    init(_ bytes: [UInt8], isMarkup: Bool = false) {
        self.bytes = bytes
        self.isMarkup = isMarkup
    }

    init(_ bytes: ArraySlice<UInt8>, isMarkup: Bool = false) { self.init(Array(bytes), isMarkup: isMarkup) }

    init(_ string: String) { self.init(Array(string.utf8)) }

    init(_ scalars: some Sequence<Unicode.Scalar>) {
        bytes = []
        for scalar in scalars { bytes.append(contentsOf: UTF8.encode(scalar)!) }
    }

    static func == (left: Text, right: Text) -> Bool { left.bytes == right.bytes }

    /// Whether `left` comes first by code points, which is the order of UTF-8's bytes.
    static func < (left: Text, right: Text) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }

    func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    var string: String { String(decoding: bytes, as: UTF8.self) }
    var isEmpty: Bool { bytes.isEmpty }
    var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }
    var scalars: [Unicode.Scalar] { Array(string.unicodeScalars) }

    /// The number of code points.
    var count: Int { Text.count(bytes[...]) }

    static func count(_ bytes: ArraySlice<UInt8>) -> Int {
        var count = 0
        for byte in bytes where byte & 0xC0 != 0x80 { count += 1 }
        return count
    }

    /// Each code point as a text of its own.
    var characters: [Text] {
        var characters: [Text] = []
        var start = 0
        while start < bytes.count {
            var end = start + 1
            while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
            characters.append(Text(bytes[start..<end], isMarkup: isMarkup))
            start = end
        }
        return characters
    }

    /// The same bytes, marked or not.
    func marked(_ isMarkup: Bool) -> Text { Text(bytes, isMarkup: isMarkup) }
}

extension Text: ExpressibleByStringLiteral {
    init(stringLiteral value: String) { self.init(value) }
}
