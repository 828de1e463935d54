/// What is logged, and how.
public struct LoggingSection: Sendable, Equatable {
    /// The least severe message that is logged; swift-log's names.
    public enum Level: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// The shape of a log line.
    public enum Format: String, Sendable, CaseIterable {
        case text, json
    }

    /// The least severe message that is logged.
    public var level = Level.info
    /// The shape of a log line.
    public var format = Format.text

    init() {}
}

extension LoggingSection: ConfigurationSection {
    static let name = "logging"
    static let summary = "what is logged, on standard error"
    static let keys: [ConfigurationKey<LoggingSection>] = [
        ConfigurationKey("level", \.level, .choice, "The least severe message that is logged"),
        ConfigurationKey("format", \.format, .choice, "Lines for people (text) or for machines (json)"),
    ]
}
