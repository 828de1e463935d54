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

/// Limits of a configuration file, far above any real one.
enum YAMLLimits {
    static let byteCount = 1 << 20
    static let depth = 16
    static let nodeCount = 10_000
}

/// Checks that bytes are the UTF-8 that the parser expects.
enum YAMLEncoding {
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// The bytes without a byte order mark; throws at the first byte that is not UTF-8.
    static func utf8(_ bytes: [UInt8]) throws(YAMLProblem) -> [UInt8] {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw YAMLProblem(mark: .start, message: "expected UTF-8 text, found UTF-16")
        }
        if let offset = firstInvalidOffset(bytes) {
            let byte = String(bytes[offset], radix: 16)
            throw YAMLProblem(
                mark: .locating(offset: offset, in: bytes),
                message: "expected UTF-8 text, found the byte 0x\(byte.count < 2 ? "0" : "")\(byte)")
        }
        return bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(byteOrderMark.count)) : bytes
    }

    private static func firstInvalidOffset(_ bytes: [UInt8]) -> Int? {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var offset = 0
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): offset += UTF8.width(scalar)
            case .emptyInput: return nil
            case .error: return offset
            }
        }
    }
}

/// Refuses the directives that would open a YAML document with definitions of tags.
enum YAMLDirective {
    private static let name = Array("%TAG".utf8)

    /// Throws at the first `%TAG` that may begin a line.
    ///
    /// libyaml compares each with all before it: a megabyte of them takes it many seconds. Whatever is not ASCII
    /// counts as a line's end, since libyaml knows three such ones.
    static func refuseTags(in bytes: [UInt8]) throws(YAMLProblem) {
        for offset in bytes.indices where bytes[offset] == name[0] && bytes[offset...].starts(with: name) {
            let before = offset == 0 ? UInt8(ascii: "\n") : bytes[offset - 1]
            guard before == UInt8(ascii: "\n") || before == UInt8(ascii: "\r") || before >= 0x80 else { continue }
            throw YAMLProblem(
                mark: .locating(offset: offset, in: bytes), message: "expected no %TAG directive, as tags are refused")
        }
    }
}
