/// Cuts a template into tokens, with `trim_blocks` and `lstrip_blocks` on, as chat templates are read.
///
/// Reference: the lexer rules of Jinja 3.1, <https://jinja.palletsprojects.com/en/stable/templates/>.
struct TemplateLexer {
    var source: [UInt8]
    var index = 0
    var line = 1
    /// Whether the last thing read ended a line, so that spaces that follow are at the start of one.
    var isAtLineStart = true
    var tokens: [TemplateToken] = []

    private init(_ source: String) { self.source = Self.normalized(Array(source.utf8)) }

    /// The tokens of `source`, `.end` last.
    static func tokens(of source: String) throws(TemplateError) -> [TemplateToken] {
        var lexer = TemplateLexer(source)
        while try lexer.readRoot() {}
        lexer.tokens.append(TemplateToken(kind: .end, line: lexer.line))
        return lexer.tokens
    }

    /// With `\n` for every line end, without the last one.
    private static func normalized(_ source: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(source.count)
        for (index, byte) in source.enumerated() {
            if byte == UInt8(ascii: "\r") {
                result.append(UInt8(ascii: "\n"))
            } else if byte != UInt8(ascii: "\n") || index == 0 || source[index - 1] != UInt8(ascii: "\r") {
                result.append(byte)
            }
        }
        if result.last == UInt8(ascii: "\n") { result.removeLast() }
        return result
    }

    func syntax(_ reason: String) -> TemplateError { .syntax(line: line, reason: reason) }

    func starts(with text: StaticString, at position: Int) -> Bool {
        let wanted = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        return position <= source.count && source[position...].starts(with: wanted)
    }

    func byte(at position: Int) -> UInt8? { position < source.count ? source[position] : nil }

    /// Goes on to `end`, counting lines.
    mutating func advance(to end: Int) {
        for byte in source[index..<end] where byte == UInt8(ascii: "\n") { line += 1 }
        if end > index { isAtLineStart = source[end - 1] == UInt8(ascii: "\n") }
        index = end
    }

    mutating func emit(_ kind: TemplateToken.Kind) { tokens.append(TemplateToken(kind: kind, line: line)) }

    /// Where white space that begins at `position` ends.
    func endOfSpace(_ position: Int) -> Int {
        var position = position
        while let length = spaceLength(at: position) { position += length }
        return position
    }

    private func spaceLength(at position: Int) -> Int? {
        guard let byte = byte(at: position) else { return nil }
        if byte < 0x80 { return Unicode.Scalar(byte).isPythonSpace ? 1 : nil }
        var end = position + 1
        while let next = self.byte(at: end), next & 0xC0 == 0x80 { end += 1 }
        let scalar = String(decoding: source[position..<end], as: UTF8.self).unicodeScalars.first
        return scalar?.isPythonSpace == true ? end - position : nil
    }

    /// Where a tag ends whose closing `end` stands at `position`, with the white space that it takes along;
    /// `nil`: none stands there.
    func endOfTag(_ end: StaticString, at position: Int, isVariable: Bool = false) -> Int? {
        let length = end.utf8CodeUnitCount
        if byte(at: position) == UInt8(ascii: "-"), starts(with: end, at: position + 1) {
            return endOfSpace(position + 1 + length)
        }
        if !isVariable, byte(at: position) == UInt8(ascii: "+"), starts(with: end, at: position + 1) {
            return position + 1 + length
        }
        guard starts(with: end, at: position) else { return nil }
        let after = position + length
        return !isVariable && byte(at: after) == UInt8(ascii: "\n") ? after + 1 : after
    }
}
