import EngineConfig
import Logging

extension Logger {
    /// A logger to standard error as `section` asks.
    init(_ section: LoggingSection) {
        self.init(label: "quire") { _ in
            var handler = StandardErrorLogHandler(format: section.format)
            handler.logLevel = Logger.Level(rawValue: section.level.rawValue) ?? .info
            return handler
        }
    }

    /// The same for a command whose result is a table: warnings are logged, and messages of the start are not.
    init(measuring section: LoggingSection) {
        var section = section
        if section.level == .info { section.level = .warning }
        self.init(section)
    }
}

/// Writes one line for each event: text for people, or JSON for machines.
struct StandardErrorLogHandler: LogHandler {
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]
    let format: LoggingSection.Format

    init(format: LoggingSection.Format) {
        self.format = format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
        switch format {
        case .text:
            let rest = fields.map { " \($0.key)=\(quoted("\($0.value)"))" }.joined()
            Console.error("\(event.level) \(printable("\(event.message)"))\(rest)")
        case .json:
            let members =
                [("level", event.level.rawValue), ("message", "\(event.message)")]
                + fields.map { ($0.key, "\($0.value)") }
            Console.error("{" + members.map { "\(quoted($0.0)):\(quoted($0.1))" }.joined(separator: ",") + "}")
        }
    }

    /// A JSON string, so that a text of a client stays on one line.
    private func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private func printable(_ text: String) -> String {
        String(quoted(text).dropFirst().dropLast()).replacing("\\\"", with: "\"")
    }
}
