/// Builds the tree of one YAML document; refuses what a configuration has no use for.
///
/// Aliases are refused altogether (so there is no alias bomb), and so are tags, keys that are not plain names,
/// second documents, nesting beyond `YAMLLimits.depth` and more than `YAMLLimits.nodeCount` nodes. Duplicate
/// keys are collected, so that they can be reported together with everything else; the first one counts.
struct YAMLComposer: ~Copyable {
    private var reader: YAMLEventReader
    private var path: [String] = []
    private var nodeCount = 0
    private(set) var duplicates: [YAMLProblem] = []

    /// - Parameter bytes: any bytes; what is not UTF-8 is refused.
    init(_ bytes: [UInt8]) throws(YAMLProblem) {
        let text = try YAMLEncoding.utf8(bytes)
        try YAMLDirective.refuseTags(in: text)
        reader = try YAMLEventReader(text)
    }

    /// The document's root, or nil when the text holds nothing but comments.
    mutating func document() throws(YAMLProblem) -> YAMLNode? {
        _ = try reader.next()
        guard case .documentStart = try reader.next().kind else { return nil }
        let root = try node(from: try reader.next(), depth: 0)
        _ = try reader.next()
        let last = try reader.next()
        guard case .streamEnd = last.kind else {
            throw YAMLProblem(mark: last.mark, message: "expected one document, found a second one")
        }
        return root
    }

    private mutating func node(from event: YAMLEvent, depth: Int) throws(YAMLProblem) -> YAMLNode {
        nodeCount += 1
        // What looks like a tag, an alias or an anchor may be a key that somebody forgot to quote: it is not repeated.
        guard !event.hasTag else {
            throw problem(event.mark, "expected a value without a tag; a text that begins with ! needs quotes")
        }
        guard nodeCount <= YAMLLimits.nodeCount else {
            throw problem(event.mark, "expected at most \(YAMLLimits.nodeCount) values in one file, found more")
        }
        guard depth <= YAMLLimits.depth else {
            throw problem(event.mark, "expected at most \(YAMLLimits.depth) levels of nesting, found more")
        }
        switch event.kind {
        case .scalar("", isPlain: true) where event.hasAnchor:
            throw problem(event.mark, "expected a value, found an anchor; a text that begins with & needs quotes")
        case .scalar(let text, let isPlain):
            return YAMLNode(content: .scalar(text: text, isPlain: isPlain), mark: event.mark)
        case .sequenceStart:
            return YAMLNode(content: .sequence(try sequence(depth: depth + 1)), mark: event.mark)
        case .mappingStart:
            return YAMLNode(content: .mapping(try mapping(depth: depth + 1)), mark: event.mark)
        case .alias:
            throw problem(event.mark, "expected a value, found an alias; a text that begins with * needs quotes")
        default:
            throw problem(event.mark, "expected a value, found none")
        }
    }

    private mutating func sequence(depth: Int) throws(YAMLProblem) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try reader.next()
            if case .sequenceEnd = event.kind { return items }
            path.append("[\(items.count)]")
            items.append(try node(from: event, depth: depth))
            path.removeLast()
        }
    }

    private mutating func mapping(depth: Int) throws(YAMLProblem) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var firstMarks: [String: SourceMark] = [:]
        while true {
            let event = try reader.next()
            if case .mappingEnd = event.kind { return entries }
            let name = try node(from: event, depth: depth)
            guard case .scalar(let key, _) = name.content else {
                throw problem(event.mark, "expected the name of a key, found \(name.phrase)")
            }
            path.append(Excerpt.bare(key))
            let value = try node(from: try reader.next(), depth: depth)
            if let first = firstMarks[key] {
                duplicates.append(problem(name.mark, "duplicate key, first given at line \(first.line)"))
            } else {
                firstMarks[key] = name.mark
                entries.append(YAMLNode.Entry(key: key, mark: name.mark, value: value))
            }
            path.removeLast()
        }
    }

    private func problem(_ mark: SourceMark, _ message: String) -> YAMLProblem {
        YAMLProblem(mark: mark, keyPath: path.isEmpty ? nil : path.joined(separator: "."), message: message)
    }
}
