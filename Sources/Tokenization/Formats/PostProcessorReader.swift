import JSON

/// Reads the `post_processor` of `tokenizer.json`: the tokens before and after a text.
struct PostProcessorReader {
    let builder: VocabularyBuilder

    /// The tokens before and after a single text.
    func affixes(_ node: JSONNode) throws(TokenizationError) -> (prefix: [TokenID], suffix: [TokenID]) {
        if node.isNull { return ([], []) }
        switch try node["type"].string() {
        case "ByteLevel": return ([], [])  // It changes only offsets.
        case "TemplateProcessing": return try template(node)
        case "RobertaProcessing", "BertProcessing":
            return ([try token(node["cls"])], [try token(node["sep"])])
        case "Sequence":
            var (prefix, suffix): ([TokenID], [TokenID]) = ([], [])
            for element in try node["processors"].elements() {
                let inner = try affixes(element)
                prefix = inner.prefix + prefix
                suffix += inner.suffix
            }
            return (prefix, suffix)
        default:
            throw node["type"].error(
                expected:
                    "\"ByteLevel\", \"TemplateProcessing\", \"RobertaProcessing\", \"BertProcessing\" or \"Sequence\"")
        }
    }

    private func template(_ node: JSONNode) throws(TokenizationError) -> (prefix: [TokenID], suffix: [TokenID]) {
        var (prefix, suffix): ([TokenID], [TokenID]) = ([], [])
        var isBeforeText = true
        for piece in try node["single"].elements() {
            if !piece["Sequence"].isNull {
                guard isBeforeText, try piece["Sequence"]["id"].string() == "A" else {
                    throw piece["Sequence"].error(expected: "the text \"A\", once")
                }
                isBeforeText = false
                continue
            }
            let name = piece["SpecialToken"]["id"]
            let ids = try ids(node["special_tokens"][try name.string()]["ids"])
            if isBeforeText { prefix += ids } else { suffix += ids }
        }
        if isBeforeText { throw node["single"].error(expected: "a template with the text \"A\"") }
        return (prefix, suffix)
    }

    /// The id of `["</s>", 2]`.
    private func token(_ node: JSONNode) throws(TokenizationError) -> TokenID {
        let elements = try node.elements()
        guard elements.count == 2, let id = TokenID(exactly: try elements[1].integer()),
            builder.table.bytes(of: id) != nil
        else { throw node.error(expected: "a token of the vocabulary and its id") }
        return id
    }

    private func ids(_ node: JSONNode) throws(TokenizationError) -> [TokenID] {
        var ids: [TokenID] = []
        for element in try node.elements() {
            guard let id = TokenID(exactly: try element.integer()), builder.table.bytes(of: id) != nil else {
                throw element.error(expected: "a token of the vocabulary")
            }
            ids.append(id)
        }
        return ids
    }
}
