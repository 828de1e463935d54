import JSON

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

    /// The members of a JSON object; numbers as they would be written, everything but texts and numbers left out.
    /// Throws what is wrong with the JSON; nil for a value that is no object.
    static func object(_ line: String) throws(JSONError) -> [String: String]? {
        guard case .object(let object) = try JSONParser.parse(Array(line.utf8)) else { return nil }
        var fields: [String: String] = [:]
        for member in object.members {
            switch member.value {
            case .string(let text): fields[member.key] = text
            case .integer(let number): fields[member.key] = "\(number)"
            case .number(let number): fields[member.key] = "\(number)"
            default: break
            }
        }
        return fields
    }
}
