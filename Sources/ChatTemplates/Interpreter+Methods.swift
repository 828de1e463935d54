/// The methods of Python's built-in types. Methods that no template uses cannot be called, but they are listed, because
/// `object.name` must find them before an item of the same name, as in Jinja.
enum MethodName: String, Sendable {
    case capitalize, casefold, center, count, encode, endswith, expandtabs, find, format, index, isalnum, isalpha
    case isascii, isdecimal, isdigit, isidentifier, islower, isnumeric, isprintable, isspace, istitle, isupper, join
    case ljust, lower, lstrip, maketrans, partition, removeprefix, removesuffix, replace, rfind, rindex, rjust
    case rpartition, rsplit, rstrip, split, splitlines, startswith, strip, swapcase, title, translate, upper, zfill
    case formatMap = "format_map"
    case clear, copy, fromkeys, get, items, keys, pop, popitem, setdefault, update, values
    case append, extend, insert, remove, reverse, sort
    case cycle, changed
    case next, reset, decode

    /// Whether `value` has the method.
    func belongs(to value: Value) -> Bool {
        switch value {
        case .text: isOfText
        case .dictionary: isOfDictionary
        case .sequence(let sequence):
            switch sequence.kind {
            case .list: isOfList
            case .tuple, .range: self == .count || self == .index
            case .bytes: self == .decode || self == .count || self == .index
            case .generator, .keys, .values, .items: false
            }
        case .loop: self == .cycle || self == .changed
        case .helper(let helper):
            if case .cycler = helper.kind { self == .next || self == .reset } else { false }
        default: false
        }
    }

    private var isOfText: Bool {
        switch self {
        case .clear, .copy, .fromkeys, .get, .items, .keys, .pop, .popitem, .setdefault, .update, .values: false
        case .append, .extend, .insert, .remove, .reverse, .sort, .cycle, .changed, .next, .reset, .decode: false
        default: true
        }
    }

    private var isOfDictionary: Bool {
        switch self {
        case .clear, .copy, .fromkeys, .get, .items, .keys, .pop, .popitem, .setdefault, .update, .values: true
        default: false
        }
    }

    private var isOfList: Bool {
        switch self {
        case .append, .clear, .copy, .count, .extend, .index, .insert, .pop, .remove, .reverse, .sort: true
        default: false
        }
    }

    /// Whether the method would change `value`, which the sandbox forbids.
    func changes(_ value: Value) -> Bool {
        switch value {
        case .dictionary: [.clear, .pop, .popitem, .setdefault, .update].contains(self)
        case .sequence(let sequence) where sequence.kind == .list:
            [.append, .clear, .extend, .insert, .pop, .remove, .reverse, .sort].contains(self)
        default: false
        }
    }
}

/// Methods of dictionaries, lists, tuples and ranges.
extension Interpreter {
    /// The methods of dictionaries.
    func call(
        _ method: MethodName, of dictionary: DictionaryValue, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        switch method {
        case .get:
            guard arguments.named.isEmpty, let key = arguments.positional.first, arguments.positional.count <= 2
            else { throw failure("get expected 1 or 2 arguments") }
            guard key.isHashable else { throw failure("unhashable type: '\(key.typeName)'") }
            try step(key.weight)
            return dictionary[key] ?? (arguments.positional.count > 1 ? arguments.positional[1] : .none)
        case .keys:
            _ = try bind(arguments, [], "keys")
            return try sequence(.keys, dictionary.entries.map(\.key))
        case .values:
            _ = try bind(arguments, [], "values")
            return try sequence(.values, dictionary.entries.map(\.value))
        case .items:
            _ = try bind(arguments, [], "items")
            return try sequence(.items, try pairs(of: dictionary))
        case .copy:
            _ = try bind(arguments, [], "copy")
            return try self.dictionary(dictionary.entries)
        default: throw failure("the method '\(method.rawValue)' of dictionaries is not supported")
        }
    }

    /// The methods of lists, tuples and ranges.
    func call(
        _ method: MethodName, of sequence: SequenceValue, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        switch method {
        case .decode: return try decoded(EncodedBytes(sequence), arguments)
        case .copy:
            _ = try bind(arguments, [], "copy")
            return try list(sequence.elements)
        case .count:
            let values = try bind(arguments, ["value"], required: 1, "count")
            var count = 0
            for element in sequence.elements where try equal(element, values[0] ?? .none) { count += 1 }
            return .int(count)
        case .index:
            let values = try bind(arguments, ["value", "start", "stop"], required: 1, "index")
            let bounds = Slice(
                try integer(values[1], missing: 0), try integer(values[2], missing: .max), 1,
                count: sequence.elements.count)
            for position in bounds where try equal(sequence.elements[position], values[0] ?? .none) {
                return .int(position)
            }
            throw failure("the value is not in the \(sequence.kind.rawValue)")
        default: throw failure("the method '\(method.rawValue)' of lists is not supported")
        }
    }
}

/// The stateful objects that `joiner` and `cycler` create.
final class TemplateHelper {
    enum Kind {
        /// Returns an empty string on the first call and the separator on later ones.
        case joiner(separator: Value)
        /// Returns its items in turn.
        case cycler(items: SequenceValue)
    }
    let kind: Kind
    /// For a joiner, 1 after the first call; for a cycler, the index of the current item.
    var position = 0

    init(_ kind: Kind) { self.kind = kind }

    var typeName: String {
        switch kind {
        case .joiner: "Joiner"
        case .cycler: "Cycler"
        }
    }

    var depth: Int {
        switch kind {
        case .joiner(let separator): separator.depth + 1
        case .cycler(let items): items.depth + 1
        }
    }

    /// The attribute `name`; `nil`: there is none.
    func attribute(_ name: String) -> Value? {
        switch (kind, name) {
        case (.joiner(let separator), "sep"): separator
        case (.joiner, "used"): .bool(position > 0)
        case (.cycler(let items), "items"): .sequence(items)
        case (.cycler(let items), "current"): items.elements[position]
        case (.cycler, "pos"): .int(position)
        default: nil
        }
    }
}

extension Interpreter {
    func makeJoiner(_ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["sep"], "joiner")
        return try checked(.helper(TemplateHelper(.joiner(separator: values[0] ?? .text(", ")))), count: 1)
    }

    func makeCycler(_ arguments: CallArguments) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty, !arguments.positional.isEmpty else {
            throw failure("at least one item has to be provided")
        }
        let items = SequenceValue(.tuple, arguments.positional)
        return try checked(.helper(TemplateHelper(.cycler(items: items))), count: items.elements.count)
    }

    func call(_ helper: TemplateHelper, _ arguments: CallArguments) throws(TemplateError) -> Value {
        guard case .joiner(let separator) = helper.kind else { throw failure("'Cycler' object is not callable") }
        _ = try bind(arguments, [], "joiner")
        defer { helper.position = 1 }
        return helper.position == 0 ? .text("") : separator
    }

    /// The methods `next` and `reset` of a cycler.
    func call(
        _ method: MethodName, of helper: TemplateHelper, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        guard case .cycler(let items) = helper.kind else { throw failure("'Joiner' object has no method '\(method)'") }
        _ = try bind(arguments, [], method.rawValue)
        guard method == .next else {
            helper.position = 0
            return .none
        }
        defer { helper.position = (helper.position + 1) % items.elements.count }
        return items.elements[helper.position]
    }
}

/// A value of Python's type `bytes`.
struct EncodedBytes {
    let bytes: [UInt8]

    /// The elements of a sequence of kind `bytes`.
    init(_ sequence: SequenceValue) {
        bytes = sequence.elements.map { if case .int(let value) = $0 { UInt8(truncatingIfNeeded: value) } else { 0 } }
    }

    /// Python's `repr`: printable ASCII as itself, the rest escaped.
    var quoted: String {
        let quote: UInt8 =
            bytes.contains(UInt8(ascii: "'")) && !bytes.contains(UInt8(ascii: "\""))
            ? UInt8(ascii: "\"") : UInt8(ascii: "'")
        var result = "b" + String(Unicode.Scalar(quote))
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\\"), quote: result += "\\" + String(Unicode.Scalar(byte))
            case 0x09: result += "\\t"
            case 0x0A: result += "\\n"
            case 0x0D: result += "\\r"
            case 0x20..<0x7F: result += String(Unicode.Scalar(byte))
            default: result += Unicode.Scalar(byte).hexadecimalEscape
            }
        }
        return result + String(Unicode.Scalar(quote))
    }
}

extension Interpreter {
    /// The supported encodings.
    private enum Encoding {
        case utf8, ascii, latin1

        /// All code points below this one can be encoded.
        var limit: UInt32 {
            switch self {
            case .utf8: 0x110000
            case .ascii: 0x80
            case .latin1: 0x100
            }
        }
    }

    /// The arguments of `encode` and `decode`: the encoding and the error handler.
    private func encoding(
        _ arguments: CallArguments, _ method: MethodName
    ) throws(TemplateError) -> (encoding: Encoding, errors: String) {
        let values = try bind(arguments, ["encoding", "errors"], method.rawValue)
        let name = try text(values[0], missing: "utf-8").lowercased.string.filter { $0 != "-" && $0 != "_" }
        let errors = try text(values[1], missing: "strict").string
        guard ["strict", "ignore", "replace"].contains(errors) else {
            throw failure("unknown error handler name '\(errors)'")
        }
        switch name {
        case "utf8": return (.utf8, errors)
        case "ascii", "usascii": return (.ascii, errors)
        case "latin1", "iso88591": return (.latin1, errors)
        default: throw failure("unknown encoding: \(name)")
        }
    }

    /// `text.encode(encoding, errors)`.
    func encoded(_ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let (encoding, errors) = try encoding(arguments, .encode)
        var bytes: [UInt8] = []
        if encoding == .utf8 {
            bytes = text.bytes
        } else {
            for scalar in text.scalars {
                if scalar.value < encoding.limit {
                    bytes.append(UInt8(scalar.value))
                } else if errors == "replace" {
                    bytes.append(UInt8(ascii: "?"))
                } else if errors == "strict" {
                    throw failure("the encoding has no character \(scalar.hexadecimalEscape)")
                }
            }
        }
        return try sequence(.bytes, bytes.map { .int(Int($0)) })
    }

    /// `bytes.decode(encoding, errors)`.
    func decoded(_ bytes: EncodedBytes, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let (encoding, errors) = try encoding(arguments, .decode)
        guard encoding == .utf8 else {
            var scalars: [Unicode.Scalar] = []
            for byte in bytes.bytes {
                if UInt32(byte) < encoding.limit {
                    scalars.append(Unicode.Scalar(byte))
                } else if errors == "replace" {
                    scalars.append("\u{FFFD}")
                } else if errors == "strict" {
                    throw failure("the encoding has no byte \(byte)")
                }
            }
            return try text(Text(scalars))
        }
        if let string = String(validating: bytes.bytes, as: UTF8.self) { return try text(Text(string)) }
        guard errors != "strict" else { throw failure("the bytes are not UTF-8") }
        let repaired = String(decoding: bytes.bytes, as: UTF8.self)
        return try text(Text(errors == "replace" ? repaired : repaired.replacing("\u{FFFD}", with: "")))
    }
}

/// Methods of text.
extension Interpreter {
    /// The methods of text.
    func call(_ method: MethodName, of text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        for value in arguments.positional { try step(value.work) }
        switch method {
        case .upper, .lower, .casefold, .title, .capitalize, .swapcase, .isalnum, .isalpha, .isascii, .isdecimal,
            .isdigit, .isidentifier, .istitle, .islower, .isnumeric, .isprintable, .isspace, .isupper:
            _ = try bind(arguments, [], method.rawValue)
            return try callSimple(method, of: text)
        case .strip, .lstrip, .rstrip:
            let values = try bind(arguments, ["chars"], method.rawValue)
            return try self.text(
                text.stripped(
                    try characters(values[0]), leading: method != .rstrip, trailing: method != .lstrip))
        case .split, .rsplit: return try split(method, text, arguments)
        case .splitlines:
            let values = try bind(arguments, ["keepends"], method.rawValue)
            return try texts(text.lines(keepingEnds: values[0]?.isTrue ?? false))
        case .startswith, .endswith, .find, .rfind, .index, .rindex, .count:
            return try search(method, text, arguments)
        case .removeprefix, .removesuffix:
            let affix = try argument(arguments, method)
            let matches =
                method == .removeprefix ? text.bytes.starts(with: affix.bytes) : text.ends(with: affix.bytes)
            guard matches else { return .text(text) }
            let kept = text.bytes.count - affix.bytes.count
            return try self.text(
                Text(method == .removeprefix ? text.bytes.suffix(kept) : text.bytes.prefix(kept)))
        case .partition, .rpartition: return try partition(method, text, try argument(arguments, method))
        case .replace:
            let values = try bind(arguments, ["old", "new", "count"], required: 2, "replace")
            guard case .text(let old)? = values[0], case .text(let new)? = values[1] else {
                throw failure("replace() arguments must be str")
            }
            return try replaced(text, old, new, try integer(values[2], missing: -1))
        case .join: return try join(text, arguments)
        case .format: return try formatted(text, with: arguments)
        case .center, .ljust, .rjust, .zfill: return try pad(method, text, arguments)
        case .encode: return try encoded(text, arguments)
        case .expandtabs:
            let values = try bind(arguments, ["tabsize"], "expandtabs")
            return try expandedTabs(text, try integer(values[0], missing: 8))
        default: throw failure("the method '\(method.rawValue)' of strings is not supported")
        }
    }

    private func callSimple(_ method: MethodName, of text: Text) throws(TemplateError) -> Value {
        func all(_ holds: (Unicode.Scalar) -> Bool) -> Value { .bool(!text.isEmpty && text.scalars.allSatisfy(holds)) }
        switch method {
        case .upper: return try self.text(text.uppercased)
        case .lower, .casefold: return try self.text(text.lowercased)
        case .title: return try self.text(text.titlecased)
        case .capitalize: return try self.text(text.capitalized)
        case .swapcase: return try self.text(text.swapcased)
        case .isalnum: return all(\.isPythonAlphanumeric)
        case .isalpha: return all(\.isPythonLetter)
        case .isascii: return .bool(text.isASCII)
        case .isdecimal: return all { $0.properties.generalCategory == .decimalNumber }
        case .isdigit: return all { [.decimal, .digit].contains($0.properties.numericType) }
        case .isnumeric: return all { $0.properties.numericType != nil }
        case .isspace: return all(\.isPythonSpace)
        case .istitle: return .bool(text.isTitle)
        case .isidentifier:
            let scalars = text.scalars
            guard let first = scalars.first, first == "_" || first.properties.isXIDStart else { return .bool(false) }
            return .bool(scalars.allSatisfy(\.properties.isXIDContinue))
        case .isprintable: return .bool(text.scalars.allSatisfy(\.isPythonPrintable))
        default: return .bool(text.isAllCase(upper: method == .isupper))
        }
    }

    /// The only argument, which must be text.
    private func argument(_ arguments: CallArguments, _ method: MethodName) throws(TemplateError) -> Text {
        let values = try bind(arguments, ["text"], required: 1, method.rawValue)
        guard case .text(let text)? = values[0] else { throw failure("\(method.rawValue)() argument must be str") }
        return text
    }

    private func split(
        _ method: MethodName, _ text: Text, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["sep", "maxsplit"], method.rawValue)
        let count = try integer(values[1], missing: -1)
        let limit = count < 0 ? nil : count
        guard let separator = values[0], separator.isSomething else {
            return try texts(text.splitAtSpace(limit: limit, fromRight: method == .rsplit))
        }
        guard case .text(let separator) = separator else { throw failure("must be str or None") }
        guard !separator.isEmpty else { throw failure("empty separator") }
        return try texts(
            method == .split ? text.split(separator, limit: limit) : text.splitFromRight(separator, limit: limit))
    }

    private func partition(_ method: MethodName, _ text: Text, _ separator: Text) throws(TemplateError) -> Value {
        guard !separator.isEmpty else { throw failure("empty separator") }
        let parts = method == .partition ? text.split(separator, limit: 1) : text.splitFromRight(separator, limit: 1)
        let all: [Text]
        if parts.count == 2 {
            all = [parts[0], separator, parts[1]]
        } else {
            all = method == .partition ? [text, "", ""] : ["", "", text]
        }
        return try sequence(.tuple, all.map { .text($0) })
    }

    /// Replaces each tab by spaces up to the next column that `size` divides.
    private func expandedTabs(_ text: Text, _ size: Int) throws(TemplateError) -> Value {
        var result: [UInt8] = []
        var column = 0
        for byte in text.bytes {
            switch byte {
            case UInt8(ascii: "\t"):
                guard size > 0 else { continue }
                let count = size - column % size
                try allocate(count)
                result += Array(repeating: UInt8(ascii: " "), count: count)
                column += count
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                result.append(byte)
                column = 0
            default:
                result.append(byte)
                if byte & 0xC0 != 0x80 { column += 1 }
            }
        }
        return try self.text(Text(result))
    }

    private func join(_ separator: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["iterable"], required: 1, "join")
        var bytes: [UInt8] = []
        for (index, element) in try elements(values[0] ?? .none).enumerated() {
            guard case .text(let part) = element else {
                throw failure("sequence item \(index): expected str instance, \(element.typeName) found")
            }
            try allocate(part.bytes.count + separator.bytes.count)
            if index > 0 { bytes += separator.bytes }
            bytes += part.bytes
        }
        return .text(Text(bytes))
    }

    private func pad(_ method: MethodName, _ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["width", "fillchar"], required: 1, method.rawValue)
        let width = try integer(values[0], missing: 0)
        let fill = try self.text(values[1], missing: " ")
        guard fill.count == 1 else { throw failure("the fill character must be exactly one character long") }
        let padding = width.subtractingReportingOverflow(text.count)
        guard !padding.overflow, padding.partialValue > 0 else { return .text(text) }
        switch method {
        case .ljust: return try padded(text, left: 0, right: padding.partialValue, fill: fill)
        case .rjust: return try padded(text, left: padding.partialValue, right: 0, fill: fill)
        case .center: return try centered(text, width, fill: fill)
        default:
            let isSigned = text.bytes.first == UInt8(ascii: "-") || text.bytes.first == UInt8(ascii: "+")
            let digits = Text(text.bytes.dropFirst(isSigned ? 1 : 0))
            guard case .text(let padded) = try padded(digits, left: padding.partialValue, right: 0, fill: "0") else {
                return .text(text)
            }
            return try self.text(Text(text.bytes.prefix(isSigned ? 1 : 0) + padded.bytes))
        }
    }
}

extension Text {
    func ends(with suffix: [UInt8]) -> Bool { bytes.suffix(suffix.count).elementsEqual(suffix) }
}

extension Unicode.Scalar {
    /// Python's `str.isalpha`.
    var isPythonLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    /// Python's `str.isalnum`.
    var isPythonAlphanumeric: Bool { isPythonLetter || properties.numericType != nil }
}

/// Searching in text.
extension Interpreter {
    /// `startswith`, `endswith`, `find`, `index`, their mirror images and `count`.
    func search(_ method: MethodName, _ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let name = method.rawValue
        guard arguments.named.isEmpty else { throw failure("\(name)() takes no keyword arguments") }
        let values = try bind(arguments, ["sub", "start", "end"], required: 1, name)
        guard let range = try range(of: text, values[1], values[2]) else {
            switch method {
            case .startswith, .endswith: return .bool(false)
            case .count: return .int(0)
            case .find, .rfind: return .int(-1)
            default: throw failure("substring not found")
            }
        }
        if method == .startswith || method == .endswith {
            return .bool(try touches(method, text.bytes[range], values[0] ?? .none))
        }
        guard case .text(let part)? = values[0] else { throw failure("\(name)() argument must be str") }
        if method == .count { return .int(Text(text.bytes[range]).occurrences(of: part)) }
        let isForward = method == .find || method == .index
        let found =
            isForward
            ? Text.firstIndex(of: part.bytes, in: text.bytes[range])
            : Text.lastIndex(of: part.bytes, in: text.bytes[range])
        if let found { return .int(Text.count(text.bytes[..<found])) }
        guard method == .find || method == .rfind else { throw failure("substring not found") }
        return .int(-1)
    }

    private func touches(
        _ method: MethodName, _ bytes: ArraySlice<UInt8>, _ affixes: Value
    ) throws(TemplateError) -> Bool {
        var candidates = [affixes]
        if case .sequence(let sequence) = affixes, sequence.kind == .tuple { candidates = sequence.elements }
        for candidate in candidates {
            guard case .text(let affix) = candidate else {
                throw failure("\(method.rawValue) first arg must be str or a tuple of str, not \(candidate.typeName)")
            }
            try step(1 + affix.bytes.count / 32)
            if method == .startswith ? bytes.starts(with: affix.bytes) : Text(bytes).ends(with: affix.bytes) {
                return true
            }
        }
        return false
    }

    /// The byte range between two positions, counted in code points; `nil`: the start is beyond the end.
    private func range(of text: Text, _ start: Value?, _ end: Value?) throws(TemplateError) -> Range<Int>? {
        let bounds = [start, end].map { $0?.isSomething == true ? $0 : nil }
        guard bounds[0] != nil || bounds[1] != nil else { return 0..<text.bytes.count }
        let count = text.count
        func clamped(_ bound: Value?, missing: Int) throws(TemplateError) -> Int {
            let position = try integer(bound, missing: missing)
            return position < 0 ? max(position.addingSaturating(count), 0) : position
        }
        let first = try clamped(bounds[0], missing: 0)
        let last = min(try clamped(bounds[1], missing: count), count)
        guard first <= last else { return nil }
        return text.offset(of: first)..<text.offset(of: last)
    }
}

extension Text {
    /// Where the code point at a position begins.
    fileprivate func offset(of position: Int) -> Int {
        var left = position
        for (index, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
            if left == 0 { return index }
            left -= 1
        }
        return bytes.count
    }
}

/// Filters of text.
extension Interpreter {
    func applyToText(
        _ filter: FilterName, _ input: Value, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        let name = filter.rawValue
        switch filter {
        case .upper, .lower, .capitalize, .title, .wordcount:
            _ = try bind(arguments, [], name)
            let subject = try string(of: input)
            switch filter {
            case .upper: return try text(subject.uppercased)
            case .lower: return try text(subject.lowercased)
            case .capitalize: return try text(subject.capitalized)
            case .title: return try text(subject.titledWords)
            default: return .int(subject.wordCount)
            }
        case .string:
            _ = try bind(arguments, [], name)
            return try text(try string(of: input))
        case .safe:
            _ = try bind(arguments, [], name)
            return try text(try string(of: input).marked(true))
        case .escape, .forceescape:
            _ = try bind(arguments, [], name)
            let subject = try string(of: input)
            return try text(subject.isMarkup && filter == .escape ? subject : subject.escaped)
        case .trim:
            let values = try bind(arguments, ["chars"], name)
            return try text(try string(of: input).stripped(try characters(values[0]), leading: true, trailing: true))
        case .replace:
            let values = try bind(arguments, ["old", "new", "count"], required: 2, name)
            let count = values[2]?.isSomething == true ? try integer(values[2], missing: -1) : -1
            return try replaced(
                try string(of: input), try text(values[0], missing: ""), try text(values[1], missing: ""), count)
        case .format:
            guard arguments.positional.isEmpty || arguments.named.isEmpty else {
                throw failure("can't handle positional and keyword arguments at the same time")
            }
            let format = try string(of: input)
            guard !arguments.named.isEmpty else {
                return try formatted(format, try sequence(.tuple, arguments.positional))
            }
            var entries: [DictionaryValue.Entry] = []
            for argument in arguments.named { entries.append((.string(argument.name), argument.value)) }
            return try formatted(format, try dictionary(entries))
        case .center:
            let values = try bind(arguments, ["width"], name)
            return try centered(try string(of: input), try integer(values[0], missing: 80), fill: " ")
        case .indent: return try indented(input, try bind(arguments, ["width", "first", "blank"], name))
        default: return try truncated(input, arguments)
        }
    }

    /// A set of characters to strip; none: white space.
    func characters(_ value: Value?) throws(TemplateError) -> Text? {
        guard let value, value.isSomething else { return nil }
        guard case .text(let text) = value else { throw failure("strip arg must be None or str") }
        return text
    }

    func replaced(_ subject: Text, _ old: Text, _ new: Text, _ count: Int) throws(TemplateError) -> Value {
        let growth = new.bytes.count - old.bytes.count
        if growth > 0 {
            let matchBound = old.isEmpty ? subject.bytes.count + 1 : subject.bytes.count / old.bytes.count
            let growthBound = growth.multipliedReportingOverflow(by: count < 0 ? matchBound : min(matchBound, count))
            // Counting exactly costs time, so only where the estimate is large.
            if growthBound.overflow || growthBound.partialValue > 1 << 20 {
                let exact = growth.multipliedReportingOverflow(by: subject.occurrences(of: old))
                try allocate(exact.overflow ? Int.max : exact.partialValue)
            }
        }
        return try text(subject.replacing(old, with: new, limit: count < 0 ? nil : count))
    }

    private func indented(_ input: Value, _ values: [Value?]) throws(TemplateError) -> Value {
        guard case .text(let subject) = input else { throw failure("'indent' needs a string") }
        let prefix: Text
        if case .text(let width) = values[0] {
            prefix = width
        } else {
            let count = max(try integer(values[0], missing: 4), 0)
            try allocate(count)
            prefix = Text([UInt8](repeating: UInt8(ascii: " "), count: count))
        }
        let indentsFirst = values[1]?.isTrue ?? false
        let indentsBlank = values[2]?.isTrue ?? false
        var bytes: [UInt8] = indentsFirst ? prefix.bytes : []
        let lines = Text(subject.bytes + [UInt8(ascii: "\n")]).lines(keepingEnds: false)
        for (index, line) in lines.enumerated() {
            try allocate(prefix.bytes.count + line.bytes.count + 1)
            if index > 0 {
                bytes.append(UInt8(ascii: "\n"))
                if indentsBlank || !line.isEmpty { bytes += prefix.bytes }
            }
            bytes += line.bytes
        }
        return .text(Text(bytes, isMarkup: subject.isMarkup))
    }

    private func truncated(_ input: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["length", "killwords", "end", "leeway"], "truncate")
        let length = try integer(values[0], missing: 255)
        let end = try text(values[2], missing: "...")
        let leeway = values[3]?.isSomething == true ? try integer(values[3], missing: 5) : 5
        guard case .text(let subject) = input else { throw failure("'truncate' needs a string") }
        let keptCount = length.subtractingReportingOverflow(end.count)
        guard length >= end.count, leeway >= 0, !keptCount.overflow else {
            throw failure("'truncate' needs a length of at least \(end.count)")
        }
        if subject.count <= length.addingSaturating(leeway) { return input }
        let kept = Text(subject.scalars.prefix(keptCount.partialValue))
        if values[1]?.isTrue == true { return try text(Text(kept.bytes + end.bytes)) }
        return try text(Text(kept.splitFromRight(" ", limit: 1)[0].bytes + end.bytes))
    }

    func centered(_ subject: Text, _ width: Int, fill: Text) throws(TemplateError) -> Value {
        let count = subject.count
        guard width > count else { return .text(subject) }
        let padding = width - count
        let left = padding / 2 + (padding & width & 1)
        return try padded(subject, left: left, right: padding - left, fill: fill)
    }

    func padded(_ subject: Text, left: Int, right: Int, fill: Text) throws(TemplateError) -> Value {
        let size = fill.bytes.count.multipliedReportingOverflow(by: left.addingSaturating(right))
        try allocate(size.overflow ? Int.max : size.partialValue.addingSaturating(subject.bytes.count))
        var bytes: [UInt8] = []
        for _ in 0..<left { bytes += fill.bytes }
        bytes += subject.bytes
        for _ in 0..<right { bytes += fill.bytes }
        return .text(Text(bytes))
    }
}

extension Text {
    /// The number of runs of letters, digits and underscores.
    fileprivate var wordCount: Int {
        var count = 0
        var isInside = false
        for scalar in scalars {
            let isWord = scalar == "_" || scalar.isPythonAlphanumeric
            if isWord, !isInside { count += 1 }
            isInside = isWord
        }
        return count
    }
}
