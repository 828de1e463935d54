import JSON

/// What the `decoder` of a tokenizer.json does: to each token, and to the text of all of them.
struct TokenDecoder {
    /// What a token's text becomes, step by step.
    enum Step: Sendable {
        /// Each character of the byte-level alphabet becomes its byte. A token with another character stays as it is.
        case byteLevel
        /// `<0xE2>` becomes its byte.
        case byteFallback
        case replace(TextPattern, with: [UInt8])
        /// A character stands for a space; at the beginning of a text it stands for nothing, if `dropsFirst`.
        case metaspace([UInt8], dropsFirst: Bool)
        /// A character is removed from the beginning and from the end of the token, up to these numbers of times.
        case strip([UInt8], start: Int, stop: Int)
    }

    var steps: [Step] = []
    var decoding = TokenDecoding()

    /// The bytes of a token with the text `token`; `first`: at the beginning of a text. `isByte`: whether the token is a
    /// single byte.
    func bytes(
        of token: [UInt8], _ workspace: TokenizerWorkspace
    ) -> (bytes: [UInt8], first: [UInt8], isByte: Bool) {
        var (bytes, first, isByte) = (token, token, false)
        for step in steps {
            switch step {
            case .byteLevel:
                bytes = bytes.withUnsafeBufferPointer { ByteLevelAlphabet.shared.bytes(of: $0) } ?? bytes
                first = bytes
            case .byteFallback:
                guard let byte = ByteToken.byte(of: bytes) else { continue }
                return ([byte], [byte], true)
            case .replace(let pattern, let replacement):
                bytes = Self.replace(pattern, in: bytes, with: replacement, workspace)
                first = Self.replace(pattern, in: first, with: replacement, workspace)
            case .metaspace(let character, let dropsFirst):
                let pattern = TextPattern.text(character)
                first = Self.replace(pattern, in: bytes, with: dropsFirst ? [] : [UInt8(ascii: " ")], workspace)
                bytes = Self.replace(pattern, in: bytes, with: [UInt8(ascii: " ")], workspace)
            case .strip(let character, let start, let stop):
                bytes = Self.strip(bytes, character, start: start, stop: stop)
                first = Self.strip(first, character, start: start, stop: stop)
            }
            isByte = false
        }
        return (bytes, first, isByte)
    }

    private static func replace(
        _ pattern: TextPattern, in text: [UInt8], with replacement: [UInt8], _ workspace: TokenizerWorkspace
    ) -> [UInt8] {
        var result: [UInt8] = []
        var done = 0
        text.withUnsafeBufferPointer { text in
            pattern.forEachMatch(in: text, workspace) { range in
                result += text[done..<range.lowerBound]
                result += replacement
                done = range.upperBound
            }
            result += text[done...]
        }
        return result
    }

    private static func strip(_ text: [UInt8], _ character: [UInt8], start: Int, stop: Int) -> [UInt8] {
        var text = text[...]
        for _ in 0..<start where text.starts(with: character) { text = text.dropFirst(character.count) }
        for _ in 0..<stop where text.suffix(character.count).elementsEqual(character) {
            text = text.dropLast(character.count)
        }
        return Array(text)
    }
}

/// Tokens that stand for one byte: `<0xE2>`.
enum ByteToken {
    /// The byte of a token with this text; nil: it is an ordinary token.
    static func byte(of text: some Collection<UInt8>) -> UInt8? {
        guard text.count == 6, text.starts(with: "<0x".utf8), text.dropFirst(5).first == UInt8(ascii: ">") else {
            return nil
        }
        let digits = String(decoding: text.dropFirst(3).prefix(2), as: UTF8.self)
        return digits.first == "+" ? nil : UInt8(digits, radix: 16)
    }

    /// The text of the token of a byte.
    static func text(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return "<0x\(digits.count < 2 ? "0" : "")\(digits)>"
    }
}

/// Reads the `decoder` of `tokenizer.json`.
struct DecoderReader {
    private var decoder = TokenDecoder()
    private var isFused = false
    private var patterns: PatternReader

    init(patterns: PatternReader) { self.patterns = patterns }

    /// The decoder `node`.
    static func read(_ node: JSONNode, patterns: inout PatternReader) throws(TokenizationError) -> TokenDecoder {
        var reader = DecoderReader(patterns: patterns)
        if node.isNull {
            // Without a decoder, tokens are separated by spaces.
            reader.decoder.decoding.separator = [UInt8(ascii: " ")]
        } else {
            try reader.read(node)
        }
        patterns = reader.patterns
        return reader.decoder
    }

    private mutating func read(_ node: JSONNode) throws(TokenizationError) {
        let type = node["type"]
        let name = try type.string()
        if name == "Sequence" {
            for element in try node["decoders"].elements() { try read(element) }
            return
        }
        if isFused, name != "Fuse", name != "Strip" {
            // A rule for the text of all tokens could change text that was already passed on.
            throw type.error(expected: "\"Strip\" after \"Fuse\"")
        }
        switch name {
        case "ByteLevel":
            decoder.steps.append(.byteLevel)
            isFused = true
        case "ByteFallback": decoder.steps.append(.byteFallback)
        case "Fuse": isFused = true
        case "Replace":
            let (pattern, replacement) = try patterns.replacement(node)
            decoder.steps.append(.replace(pattern, with: replacement))
        case "Metaspace":
            let metaspace = try MetaspaceReader.read(node)
            decoder.steps.append(.metaspace(metaspace.replacement, dropsFirst: metaspace.scheme != .never))
        case "Strip":
            let content = try node.character("content")
            let start = try count(node["start"])
            let stop = try count(node["stop"])
            guard isFused else { return decoder.steps.append(.strip(content, start: start, stop: stop)) }
            guard decoder.decoding.strippedStart.count == 0, decoder.decoding.strippedEnd.count == 0 else {
                throw type.error(expected: "one \"Strip\" after \"Fuse\"")
            }
            decoder.decoding.strippedStart = .init(content: content, count: start)
            decoder.decoding.strippedEnd = .init(content: content, count: stop)
        case "BPEDecoder":
            // The suffix stands for the space after a word; after the last one there is none.
            let suffix = try node.string("suffix") ?? "</w>"
            decoder.steps.append(.replace(.text(Array(suffix.utf8)), with: [UInt8(ascii: " ")]))
            decoder.decoding.strippedEnd = .init(content: [UInt8(ascii: " ")], count: 1)
            isFused = true
        default:
            throw type.error(
                expected:
                    "\"ByteLevel\", \"ByteFallback\", \"Fuse\", \"Replace\", \"Metaspace\", \"Strip\", \"BPEDecoder\" or \"Sequence\""
            )
        }
    }

    private func count(_ node: JSONNode) throws(TokenizationError) -> Int {
        let count = try node.integer()
        guard (0...1_000).contains(count) else { throw node.error(expected: "a number from 0 to 1000") }
        return count
    }
}
