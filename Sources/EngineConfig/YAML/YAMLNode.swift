/// A value of a YAML document and where it stands.
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
