/// Text with the semantics of Python's `str`: a sequence of code points, compared and hashed by value, stored as UTF-8.
///
/// Swift's `String` is not used, because it treats canonically equivalent texts as equal and counts grapheme clusters.
struct Text: Hashable, Sendable {
    var bytes: [UInt8]
    /// Whether the text is the result of `safe` or `escape` (Jinja's `Markup`). That affects only `+` and `repr`.
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

    /// The code points, each as a text.
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

    /// The same bytes with another value of `isMarkup`.
    func marked(_ isMarkup: Bool) -> Text { Text(bytes, isMarkup: isMarkup) }
}

extension Text: ExpressibleByStringLiteral {
    init(stringLiteral value: String) { self.init(value) }
}

/// Upper and lower case.
extension Text {
    var uppercased: Text {
        if isASCII { return Text(bytes.map { (0x61...0x7A).contains($0) ? $0 - 32 : $0 }) }
        return Text(scalars.flatMap { Array($0.properties.uppercaseMapping.unicodeScalars) })
    }

    var lowercased: Text {
        if isASCII { return Text(bytes.map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }) }
        let scalars = scalars
        return Text(scalars.indices.flatMap { Text.lowercase(scalars, $0) })
    }

    /// Python's `str.title`: upper case after anything that has no case.
    var titlecased: Text {
        let scalars = scalars
        var result: [Unicode.Scalar] = []
        var followsCased = false
        for index in scalars.indices {
            result += followsCased ? Text.lowercase(scalars, index) : Text.titlecase(scalars[index])
            followsCased = scalars[index].properties.isCased
        }
        return Text(result)
    }

    /// Python's `str.capitalize`.
    var capitalized: Text {
        let scalars = scalars
        return Text(scalars.indices.flatMap { $0 == 0 ? Text.titlecase(scalars[0]) : Text.lowercase(scalars, $0) })
    }

    /// Jinja's `title`: upper case after space, hyphen and opening brackets only.
    var titledWords: Text {
        let scalars = scalars
        var result: [Unicode.Scalar] = []
        var wordStart = 0
        func flush(_ end: Int) {
            guard wordStart < end else { return }
            let word = Array(scalars[wordStart..<end])
            result += word[0].properties.uppercaseMapping.unicodeScalars
            let rest = Array(word.dropFirst())
            result += rest.indices.flatMap { Text.lowercase(rest, $0) }
        }
        for (index, scalar) in scalars.enumerated() {
            guard scalar.isPythonSpace || "-({[<".unicodeScalars.contains(scalar) else { continue }
            flush(index)
            result.append(scalar)
            wordStart = index + 1
        }
        flush(scalars.count)
        return Text(result)
    }

    /// Python's `str.swapcase`.
    var swapcased: Text {
        let scalars = scalars
        return Text(
            scalars.indices.flatMap { index in
                let properties = scalars[index].properties
                if properties.isUppercase { return Text.lowercase(scalars, index) }
                return properties.isLowercase ? Array(properties.uppercaseMapping.unicodeScalars) : [scalars[index]]
            })
    }

    /// Python's `str.isupper` and `str.islower`.
    func isAllCase(upper: Bool) -> Bool {
        var found = false
        for scalar in scalars {
            let properties = scalar.properties
            if upper ? properties.isLowercase : properties.isUppercase { return false }
            if properties.generalCategory == .titlecaseLetter { return false }
            found = found || (upper ? properties.isUppercase : properties.isLowercase)
        }
        return found
    }

    private static func titlecase(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        Array(scalar.properties.titlecaseMapping.unicodeScalars)
    }

    /// The lower case of one code point; a capital sigma that ends a word becomes a final sigma.
    private static func lowercase(_ scalars: [Unicode.Scalar], _ index: Int) -> [Unicode.Scalar] {
        guard scalars[index] == "\u{3A3}" else {
            return Array(scalars[index].properties.lowercaseMapping.unicodeScalars)
        }
        let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        let isFinal = before?.properties.isCased == true && after?.properties.isCased != true
        return [isFinal ? "\u{3C2}" : "\u{3C3}"]
    }
}

extension Text {
    /// Python's `str.istitle`: capitals only, and always, after anything that has no case.
    var isTitle: Bool {
        var hasCased = false
        var followsCased = false
        for scalar in scalars {
            let isCapital = scalar.properties.isUppercase || scalar.properties.generalCategory == .titlecaseLetter
            guard isCapital || scalar.properties.isLowercase else {
                followsCased = false
                continue
            }
            if isCapital == followsCased { return false }
            followsCased = true
            hasCased = true
        }
        return hasCased
    }
}

/// Searching and replacing.
extension Text {
    /// The index of the first occurrence of `needle` in `bytes`, in time linear in both.
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

    /// The index of the last occurrence of `needle` in `bytes`.
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

    /// The number of occurrences that do not overlap; for an empty text, the number of code points plus one.
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

    /// A copy in which the first `limit` occurrences of `old` are replaced; `nil`: all of them.
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

/// Splitting and stripping.
extension Text {
    /// The parts between runs of white space, at most `limit` splits, counted from the right if `fromRight`.
    func splitAtSpace(limit: Int?, fromRight: Bool) -> [Text] {
        let scalars = fromRight ? scalars.reversed() : scalars
        var parts: [Text] = []
        var index = 0
        while true {
            while index < scalars.count, scalars[index].isPythonSpace { index += 1 }
            guard index < scalars.count else { break }
            if let limit, parts.count >= limit {
                let rest = scalars[index...]
                parts.append(Text(fromRight ? rest.reversed() : Array(rest)))
                break
            }
            let start = index
            while index < scalars.count, !scalars[index].isPythonSpace { index += 1 }
            let part = scalars[start..<index]
            parts.append(Text(fromRight ? part.reversed() : Array(part)))
        }
        return fromRight ? parts.reversed() : parts
    }

    /// The parts between occurrences of `separator`, at most `limit` splits.
    func split(_ separator: Text, limit: Int?) -> [Text] {
        var parts: [Text] = []
        var rest = bytes[...]
        while parts.count < limit ?? Int.max, let found = Text.firstIndex(of: separator.bytes, in: rest) {
            parts.append(Text(rest[..<found]))
            rest = bytes[(found + separator.bytes.count)...]
        }
        parts.append(Text(rest))
        return parts
    }

    /// As `split`, but counting splits from the right.
    func splitFromRight(_ separator: Text, limit: Int?) -> [Text] {
        let mirrored = Text(Array(bytes.reversed())).split(Text(Array(separator.bytes.reversed())), limit: limit)
        return mirrored.reversed().map { Text(Array($0.bytes.reversed())) }
    }

    /// Python's `str.splitlines`.
    func lines(keepingEnds: Bool) -> [Text] {
        var lines: [Text] = []
        let scalars = scalars
        var start = 0
        var index = 0
        while index < scalars.count {
            guard scalars[index].isPythonLineBreak else {
                index += 1
                continue
            }
            let isPair = scalars[index] == "\r" && index + 1 < scalars.count && scalars[index + 1] == "\n"
            let end = index + (isPair ? 2 : 1)
            lines.append(Text(scalars[start..<(keepingEnds ? end : index)]))
            start = end
            index = end
        }
        if start < scalars.count { lines.append(Text(scalars[start...])) }
        return lines
    }

    /// A copy without leading or trailing code points that are in `set`; `nil`: white space.
    func stripped(_ set: Text?, leading: Bool, trailing: Bool) -> Text {
        let members = set.map { Set($0.scalars) }
        func drops(_ scalar: Unicode.Scalar) -> Bool { members?.contains(scalar) ?? scalar.isPythonSpace }
        let view = string.unicodeScalars
        var start = view.startIndex
        var end = view.endIndex
        if leading { while start < end, drops(view[start]) { start = view.index(after: start) } }
        if trailing {
            while start < end {
                let before = view.index(before: end)
                guard drops(view[before]) else { break }
                end = before
            }
        }
        return Text(Array(String(view[start..<end]).utf8))
    }
}

extension Unicode.Scalar {
    /// Whether Python's `str.isspace` and a regular expression's `\s` accept the scalar.
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
            true
        default: false
        }
    }

    /// Whether Python's `str.splitlines` ends a line at the scalar.
    var isPythonLineBreak: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }
}

extension Text {
    /// Python's `repr` of a string.
    var quoted: String {
        let hasSingle = bytes.contains(UInt8(ascii: "'"))
        let quote: Unicode.Scalar = hasSingle && !bytes.contains(UInt8(ascii: "\"")) ? "\"" : "'"
        var result = String.UnicodeScalarView()
        result.append(quote)
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
            case quote: result.append(contentsOf: ["\\", quote])
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            case "\r": result.append(contentsOf: "\\r".unicodeScalars)
            case "\t": result.append(contentsOf: "\\t".unicodeScalars)
            default:
                // The server marks clients' texts with noncharacters while a template renders, so they are not escaped.
                if scalar.isPythonPrintable || scalar.isMarker {
                    result.append(scalar)
                } else {
                    result.append(contentsOf: scalar.hexadecimalEscape.unicodeScalars)
                }
            }
        }
        result.append(quote)
        return String(result)
    }

    /// A copy with HTML's five special characters as entities.
    var escaped: Text {
        var result: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "&"): result += "&amp;".utf8
            case UInt8(ascii: "<"): result += "&lt;".utf8
            case UInt8(ascii: ">"): result += "&gt;".utf8
            case UInt8(ascii: "'"): result += "&#39;".utf8
            case UInt8(ascii: "\""): result += "&#34;".utf8
            default: result.append(byte)
            }
        }
        return Text(result, isMarkup: true)
    }
}

extension Unicode.Scalar {
    /// One of the noncharacters U+FDD0 to U+FDEF, which are not for interchange.
    var isMarker: Bool { (0xFDD0...0xFDEF).contains(value) }

    /// Python's `str.isprintable`.
    var isPythonPrintable: Bool {
        if self == " " { return true }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }

    /// The scalar's escape in Python's `repr`.
    var hexadecimalEscape: String {
        let digits = String(value, radix: 16)
        let (letter, width) = value <= 0xFF ? ("x", 2) : value <= 0xFFFF ? ("u", 4) : ("U", 8)
        return "\\\(letter)\(String(repeating: "0", count: width - digits.count))\(digits)"
    }
}
