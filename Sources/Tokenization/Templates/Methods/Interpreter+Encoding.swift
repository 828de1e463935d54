/// Bytes as Python's `bytes` holds them.
struct EncodedBytes {
    let bytes: [UInt8]

    /// The bytes that are the elements of a sequence of that kind.
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
    /// How text becomes bytes.
    private enum Encoding {
        case utf8, ascii, latin1

        /// One past the highest code point that it has a byte for.
        var limit: UInt32 {
            switch self {
            case .utf8: 0x110000
            case .ascii: 0x80
            case .latin1: 0x100
            }
        }
    }

    /// The encoding and the way to treat what it does not have, from arguments.
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
