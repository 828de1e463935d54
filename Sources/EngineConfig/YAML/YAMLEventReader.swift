import CYAML

/// One step of a YAML document's structure.
struct YAMLEvent {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd
        case alias
        case scalar(text: String, isPlain: Bool)
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
    }

    var kind: Kind
    var mark: SourceMark
    /// Whether the node has an explicit tag (`!!int`).
    var hasTag = false
    /// Whether the node has a name for aliases (`&name`).
    var hasAnchor = false
}

/// Reads a text's YAML events, in order; the only place that calls libyaml.
///
/// It owns the parser and a copy of the text, both freed with it; each event of the library is freed before
/// `next()` returns. The parser keeps a pointer to itself, hence it lives on the heap.
struct YAMLEventReader: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>

    /// - Parameter bytes: valid UTF-8 without a byte order mark.
    init(_ bytes: [UInt8]) throws(YAMLProblem) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            throw YAMLProblem(mark: .start, message: "no memory is left to read the file")
        }
        self.parser = parser
        input = UnsafeMutableBufferPointer.allocate(capacity: bytes.count)
        _ = input.initialize(from: bytes)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    /// The next event; after `streamEnd` or a throw there is none to ask for.
    mutating func next() throws(YAMLProblem) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw problem() }
        defer { yaml_event_delete(&event) }
        let mark = SourceMark(event.start_mark)
        switch event.type {
        case YAML_STREAM_START_EVENT:
            return YAMLEvent(kind: .streamStart, mark: mark)
        case YAML_STREAM_END_EVENT:
            return YAMLEvent(kind: .streamEnd, mark: mark)
        case YAML_DOCUMENT_START_EVENT:
            return YAMLEvent(kind: .documentStart, mark: mark)
        case YAML_DOCUMENT_END_EVENT:
            return YAMLEvent(kind: .documentEnd, mark: mark)
        case YAML_ALIAS_EVENT:
            return YAMLEvent(kind: .alias, mark: mark)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
            return YAMLEvent(
                kind: .scalar(text: text, isPlain: isPlain), mark: mark, hasTag: scalar.tag != nil,
                hasAnchor: scalar.anchor != nil)
        case YAML_SEQUENCE_START_EVENT:
            return YAMLEvent(kind: .sequenceStart, mark: mark, hasTag: event.data.sequence_start.tag != nil)
        case YAML_SEQUENCE_END_EVENT:
            return YAMLEvent(kind: .sequenceEnd, mark: mark)
        case YAML_MAPPING_START_EVENT:
            return YAMLEvent(kind: .mappingStart, mark: mark, hasTag: event.data.mapping_start.tag != nil)
        case YAML_MAPPING_END_EVENT:
            return YAMLEvent(kind: .mappingEnd, mark: mark)
        default:
            throw YAMLProblem(mark: mark, message: "the text goes on after its end")
        }
    }

    /// libyaml's error: its position and its message.
    private func problem() -> YAMLProblem {
        let state = parser.pointee
        let sentence = state.problem.map { String(cString: $0) } ?? "no memory is left to read the file"
        switch state.error {
        case YAML_READER_ERROR:
            // The reader runs ahead of the scanner and knows only the byte.
            let mark = SourceMark.locating(offset: state.problem_offset, in: Array(input))
            let value = String(state.problem_value, radix: 16, uppercase: true)
            let code = String(repeating: "0", count: max(0, 4 - value.count)) + value
            return YAMLProblem(mark: mark, message: "\(sentence) (U+\(code))")
        case YAML_SCANNER_ERROR, YAML_PARSER_ERROR:
            let mark = SourceMark(state.problem_mark)
            if let tab = tabInIndentation(ofLine: mark.line) {
                return YAMLProblem(mark: tab, message: "YAML forbids tabs in indentation: use spaces")
            }
            let context = state.context.map { " \(String(cString: $0)) at line \(state.context_mark.line + 1)" } ?? ""
            return YAMLProblem(mark: mark, message: "not valid YAML: \(sentence)\(context)")
        default:
            return YAMLProblem(mark: .start, message: sentence)
        }
    }

    /// The first tab among the blanks that open a line, the usual cause of what the scanner calls
    /// a "character that cannot start any token".
    private func tabInIndentation(ofLine line: Int) -> SourceMark? {
        let lines = input.split(separator: UInt8(ascii: "\n"), maxSplits: line, omittingEmptySubsequences: false)
        guard lines.indices.contains(line - 1) else { return nil }
        let blanks = lines[line - 1].prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard let tab = blanks.firstIndex(of: UInt8(ascii: "\t")) else { return nil }
        return SourceMark(line: line, column: tab - blanks.startIndex + 1)
    }
}

extension SourceMark {
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: mark.line + 1, column: mark.column + 1)
    }
}
