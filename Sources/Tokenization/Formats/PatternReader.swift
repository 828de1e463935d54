import JSON

/// A value of a `tokenizer.json` file.
typealias JSONNode = JSONReader<TokenizationError>

extension JSONReader where Failure == TokenizationError {
    /// An integer; unlike elsewhere, `2.0` is none, as in `tokenizers`.
    func integer() throws(TokenizationError) -> Int {
        guard case .integer(let integer) = value else { throw error(expected: "an integer") }
        return integer
    }

    /// Throws unless the value is missing, null or one of `allowed`.
    func requireAbsent(or allowed: JSONValue...) throws(TokenizationError) {
        if isNull { return }
        if let value, allowed.contains(value) { return }
        throw error(expected: "null")
    }

    /// The member `key`, which is one character, in UTF-8.
    func character(_ key: String) throws(TokenizationError) -> [UInt8] {
        let node = self[key]
        let text = try node.string()
        guard text.unicodeScalars.count == 1 else { throw node.error(expected: "one character") }
        return Array(text.utf8)
    }
}

/// Reads and compiles the patterns of a `tokenizer.json`, and numbers their matchers.
struct PatternReader {
    private var matcherCount = 0

    init() {}

    /// The pattern of the member `pattern` of `node`: `{"String": …}` or `{"Regex": …}`.
    mutating func pattern(_ node: JSONNode) throws(TokenizationError) -> TextPattern {
        let pattern = node["pattern"]
        if pattern["Regex"].isNull {
            let text = pattern["String"]
            let bytes = Array(try text.string().utf8)
            guard !bytes.isEmpty else { throw text.error(expected: "a text that is not empty") }
            return .text(bytes)
        }
        return try expression(try pattern["Regex"].string(), file: node.file, key: pattern["Regex"].path)
    }

    /// The pattern and the text of a `Replace`.
    mutating func replacement(_ node: JSONNode) throws(TokenizationError) -> (pattern: TextPattern, text: [UInt8]) {
        (try pattern(node), Array(try node["content"].string().utf8))
    }

    /// A regular expression. `key`: what names it in errors.
    mutating func expression(_ text: String, file: String, key: String) throws(TokenizationError) -> TextPattern {
        do throws(PatternError) {
            let program = try PatternProgram(text)
            defer { matcherCount += 1 }
            return .expression(program, matcher: matcherCount)
        } catch {
            throw .unsupportedPattern(file: file, key: key, position: error.position, reason: error.reason)
        }
    }
}

/// Reads `Metaspace`, which is a pre-tokenizer and a decoder.
enum MetaspaceReader {
    static func read(_ node: JSONNode) throws(TokenizationError) -> PreTokenizer.Metaspace {
        let scheme: PreTokenizer.Metaspace.PrependScheme
        switch (try node.string("prepend_scheme"), try node.bool("add_prefix_space")) {
        case ("never", _), (nil, false): scheme = .never
        case ("first", true), ("first", nil): scheme = .first
        case ("always", true), ("always", nil), (nil, _): scheme = .always
        default:
            throw node["prepend_scheme"].error(expected: "\"always\", \"first\" or \"never\", as add_prefix_space says")
        }
        return PreTokenizer.Metaspace(
            replacement: try node.character("replacement"), scheme: scheme, splits: try node.bool("split") ?? true)
    }
}
