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
