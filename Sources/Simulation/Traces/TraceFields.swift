import FoundationEssentials

/// The fields of one line, by name: what CSV and JSON lines have in common.
enum TraceFields {
    /// The fields of a CSV line; quotes may surround a field that has commas in it (RFC 4180, on one line).
    static func split(_ line: String) -> [String] {
        var fields: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var bytes = line.utf8.makeIterator()
        var pending = bytes.next()
        while let byte = pending {
            pending = bytes.next()
            switch byte {
            case UInt8(ascii: "\"") where isQuoted && pending == byte:
                field.append(byte)
                pending = bytes.next()
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted:
                fields.append(trimmed(field))
                field.removeAll(keepingCapacity: true)
            default: field.append(byte)
            }
        }
        return fields + [trimmed(field)]
    }

    private static func trimmed(_ bytes: [UInt8]) -> String {
        let start = bytes.drop { $0 == UInt8(ascii: " ") }
        let end = start.lastIndex { $0 != UInt8(ascii: " ") }
        return String(decoding: start[..<(end.map { $0 + 1 } ?? start.startIndex)], as: UTF8.self)
    }

    /// The members of a JSON object; numbers as they would be written, nulls left out. Nil for anything else.
    static func object(_ line: String, with decoder: JSONDecoder) -> [String: String]? {
        guard let members = try? decoder.decode([String: Value].self, from: Data(line.utf8)) else { return nil }
        return members.compactMapValues(\.text)
    }

    private struct Value: Decodable {
        let text: String?

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                text = nil
            } else if let number = try? container.decode(Double.self) {
                text = Int(exactly: number).map { "\($0)" } ?? "\(number)"
            } else {
                // Lists and objects, such as conversations, are passed over.
                text = try? container.decode(String.self)
            }
        }
    }
}
