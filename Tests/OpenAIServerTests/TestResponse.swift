@testable import JSON
import OpenAIServer

/// An HTTP response.
struct TestResponse: Sendable {
    let status: Int
    let headers: [String: String]
    let body: String

    /// The response in `text`; nil: it is not complete by its length or its last chunk.
    init?(_ text: String) {
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        guard let blank = lines.firstIndex(of: ""), let status = lines[0].split(separator: " ").dropFirst().first else {
            return nil
        }
        self.status = Int(status) ?? 0
        var headers: [String: String] = [:]
        for line in lines[1..<blank] {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts[1].drop { $0 == " " }.description
        }
        self.headers = headers
        let rest = lines[(blank + 1)...].joined(separator: "\r\n")
        if let length = headers["content-length"].flatMap({ Int($0) }) {
            guard rest.utf8.count >= length else { return nil }
            body = String(decoding: rest.utf8.prefix(length), as: UTF8.self)
        } else {
            guard let whole = Self.dechunked(rest) else { return nil }
            body = whole
        }
    }

    private static func dechunked(_ text: String) -> String? {
        var body: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while true {
            guard let end = rest.firstIndex(of: 13),
                let size = Int(String(decoding: rest[rest.startIndex..<end], as: UTF8.self), radix: 16)
            else { return nil }
            if size == 0 { return String(decoding: body, as: UTF8.self) }
            guard rest.count >= end - rest.startIndex + 4 + size else { return nil }
            body += rest[(end + 2)..<(end + 2 + size)]
            rest = rest[(end + 4 + size)...]
        }
    }

    /// The body as JSON.
    var json: JSONValue {
        get throws { try JSONParser.parse(Array(body.utf8)) }
    }

    /// The data of each event.
    var events: [String] {
        body.split(separator: "\n\n").map { String($0.dropFirst("data: ".count)) }
    }
}

extension JSONValue {
    /// The value at a path such as `choices.0.text`; null if there is none.
    func at(_ path: String) -> JSONValue {
        var value = self
        for key in path.split(separator: ".") {
            switch value {
            case .object(let object): value = object[String(key)] ?? .null
            case .array(let values):
                value = Int(key).flatMap { values.indices.contains($0) ? values[$0] : nil } ?? .null
            default: return .null
            }
        }
        return value
    }

    var text: String {
        if case .string(let text) = self { return text }
        return ""
    }

    func has(_ path: String, _ key: String) -> Bool {
        if case .object(let object) = at(path) { return object[key] != nil }
        return false
    }
}
