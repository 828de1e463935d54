import JSON

/// The fields of one line, by name, from CSV or JSON.
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

    /// The members of a JSON object that are texts or numbers, as texts; nil for a value that is no object. Throws the
    /// parser's errors.
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

/// The columns of a trace and their names: our own, BurstGPT's (Timestamp, Request tokens, Response tokens) and
/// Azure's (TIMESTAMP, ContextTokens, GeneratedTokens).
enum TraceColumns {
    /// Each column with all its names, in lower case without spaces and underscores.
    static let names: [(column: Column, names: [String])] = [
        (.arrival, ["arrival", "arrivalseconds", "timestamp", "arrivaltime", "arrivedat"]),
        (.prompt, ["prompt", "prompttokens", "requesttokens", "contexttokens", "inputlength", "promptcount"]),
        (.output, ["output", "outputtokens", "responsetokens", "generatedtokens", "outputlength", "completiontokens"]),
        (.tenant, ["tenant", "user", "userid", "sessionid", "client"]),
        (.priority, ["priority"]),
        (.prefix, ["prefix", "prefixid"]),
        (.prefixTokens, ["prefixtokens", "prefixcount", "prefixlength"]),
        (.deadline, ["deadlinems"]),
    ]

    enum Column: String { case arrival, prompt, output, tenant, priority, prefix, prefixTokens, deadline }

    /// The column with this name; nil for one that is not used.
    static func column(named name: String) -> Column? {
        let plain = name.lowercased().filter { $0 != " " && $0 != "_" && $0 != "\u{FEFF}" }
        return names.first { $0.names.contains(plain) }?.column
    }
}

/// Moments written as `2023-11-16 18:17:03.9799600`, as in Azure's traces; `T` and a final `Z` are fine too.
enum CalendarTime {
    /// Seconds since 1970, of no particular time zone; nil for anything else.
    static func seconds(_ text: String) -> Double? {
        let parts = text.split { $0 == " " || $0 == "T" }
        guard parts.count == 2 else { return nil }
        let date = parts[0].split(separator: "-").compactMap { Int($0) }
        let clock = parts[1].prefix { $0 != "Z" && $0 != "+" }.split(separator: ":")
        guard date.count == 3, clock.count == 3, (1...12).contains(date[1]), (1...31).contains(date[2]),
            (0...9999).contains(date[0]), let hour = Double(clock[0]), let minute = Double(clock[1]),
            let second = Double(clock[2])
        else { return nil }
        return Double(days(date[0], date[1], date[2])) * 86_400 + hour * 3600 + minute * 60 + second
    }

    /// Days since 1970 in the Gregorian calendar (Hinnant, chrono-compatible low-level date algorithms).
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
