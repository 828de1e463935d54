/// A value of a YAML document and its position.
struct YAMLNode: Sendable {
    /// What a node holds; anchors, aliases and tags are refused before a tree is made.
    enum Content: Sendable {
        /// A text as written; `isPlain` when it stood without quotes, so that `24` and `"24"` differ.
        case scalar(text: String, isPlain: Bool)
        case sequence([YAMLNode])
        /// In the order of the text, without duplicates.
        case mapping([Entry])
    }

    /// One `key: value` of a mapping.
    struct Entry: Sendable {
        var key: String
        var mark: SourceMark
        var value: YAMLNode
    }

    var content: Content
    var mark: SourceMark

    /// Whether this is YAML's null: nothing at all, `~` or `null`, without quotes.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// The text of a scalar without quotes that is not null.
    var plainText: String? {
        guard case .scalar(let text, isPlain: true) = content, !isNull else { return nil }
        return text
    }

    /// The text of a scalar, quoted or not, that is not null.
    var text: String? {
        guard case .scalar(let text, _) = content, !isNull else { return nil }
        return text
    }

    /// Whether this is the text `name`, or a sequence or a comma-separated list that contains it.
    func names(_ name: String) -> Bool {
        switch content {
        case .scalar(let text, _): text.split(separator: ",").contains { $0.drop { $0 == " " } == name }
        case .sequence(let nodes): nodes.contains { $0.text == name }
        case .mapping: false
        }
    }

    /// How an error message calls this value, on one line and of bounded length: `24`, `"24"`, `a sequence`.
    var phrase: String {
        switch content {
        case .scalar("", isPlain: true): "no value"
        case .scalar(let text, isPlain: true): Excerpt.bare(text)
        case .scalar(let text, isPlain: false): Excerpt.quoted(text)
        case .sequence: "a sequence"
        case .mapping: "a mapping"
        }
    }
}

/// A position in a text: line and column, both counted from one, columns in Unicode scalars.
struct SourceMark: Sendable, Equatable, Comparable {
    var line: Int
    var column: Int

    /// The first character of a text.
    static let start = SourceMark(line: 1, column: 1)

    static func < (left: SourceMark, right: SourceMark) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }

    /// The position of the byte at `offset` of `bytes`, which are UTF-8 at least up to there.
    static func locating(offset: Int, in bytes: [UInt8]) -> SourceMark {
        var mark = SourceMark.start
        for byte in bytes.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                mark = SourceMark(line: mark.line + 1, column: 1)
            } else if byte & 0b1100_0000 != 0b1000_0000 {
                mark.column += 1
            }
        }
        return mark
    }
}

/// Why a text is no acceptable YAML document: the position, the key path reached there, one sentence.
struct YAMLProblem: Error, Equatable {
    var mark: SourceMark
    var keyPath: String?
    var message: String
}
