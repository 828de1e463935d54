import JSON

/// Reads the `normalizer` of `tokenizer.json`.
struct NormalizerReader {
    private var steps: [TextNormalizer.Step] = []
    private var patterns: PatternReader

    private static let maximumCount = 64

    /// The normalizer `node`.
    static func read(_ node: JSONNode, patterns: inout PatternReader) throws(TokenizationError) -> TextNormalizer {
        var reader = NormalizerReader(patterns: patterns)
        if !node.isNull { try reader.read(node) }
        patterns = reader.patterns
        return TextNormalizer(steps: reader.steps)
    }

    private init(patterns: PatternReader) { self.patterns = patterns }

    private mutating func read(_ node: JSONNode) throws(TokenizationError) {
        guard steps.count < Self.maximumCount else { throw node.error(expected: "at most \(Self.maximumCount) steps") }
        let type = node["type"]
        switch try type.string() {
        case "Sequence": for element in try node["normalizers"].elements() { try read(element) }
        case "NFC": steps.append(.form(.nfc))
        case "NFD": steps.append(.form(.nfd))
        case "NFKC": steps.append(.form(.nfkc))
        case "NFKD": steps.append(.form(.nfkd))
        case "Lowercase": steps.append(.lowercase)
        case "Strip":
            steps.append(
                .strip(left: try node.bool("strip_left") ?? true, right: try node.bool("strip_right") ?? true))
        case "StripAccents": steps.append(.stripAccents)
        case "Prepend": steps.append(.prepend(Array(try node["prepend"].string().utf8)))
        case "Replace":
            let (pattern, text) = try patterns.replacement(node)
            steps.append(.replace(pattern, with: text))
        case "Precompiled":
            let map = node["precompiled_charsmap"]
            guard let bytes = Base64.decode(try map.string()), let table = PrecompiledCharsMap(bytes) else {
                throw map.error(expected: "a table of SentencePiece in base 64")
            }
            steps.append(.charsMap(table))
        case "Nmt": steps.append(.nmt)
        case "ByteLevel": steps.append(.byteLevel)
        default:
            throw type.error(
                expected:
                    "\"NFC\", \"NFD\", \"NFKC\", \"NFKD\", \"Lowercase\", \"Strip\", \"StripAccents\", \"Prepend\", "
                    + "\"Replace\", \"Precompiled\", \"Nmt\", \"ByteLevel\" or \"Sequence\"")
        }
    }
}

/// Base 64 (RFC 4648, section 4).
enum Base64 {
    /// The bytes; nil: another character, or a length that is not possible.
    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in text.utf8 where character != UInt8(ascii: "=") {
            let value: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return count < 6 ? bytes : nil
    }
}
