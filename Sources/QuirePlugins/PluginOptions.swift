import CQuirePlugin

/// The values of `scheduler.plugin_options` in the configuration, by key.
public struct PluginOptions: Sendable, Hashable {
    /// The values as written.
    public let texts: [String: String]
    private let numbers: [String: Double]

    /// For tests of policies.
    public init(_ texts: [String: String]) {
        self.texts = texts
        numbers = texts.compactMapValues { Double($0) }
    }

    init(_ options: UnsafeBufferPointer<quire_option>) {
        var texts: [String: String] = [:]
        var numbers: [String: Double] = [:]
        for option in options {
            let key = String(cString: option.key)
            texts[key] = String(cString: option.text)
            if !option.number.isNaN { numbers[key] = option.number }
        }
        self.texts = texts
        self.numbers = numbers
    }

    /// The text of `key`, or `standard` where it is not given.
    public func text(_ key: String, default standard: String) -> String { texts[key] ?? standard }

    /// The number of `key`, or `standard` where it is not given. Throws `PluginOptionError` where it is no number.
    public func number(_ key: String, default standard: Double) throws(PluginOptionError) -> Double {
        guard let text = texts[key] else { return standard }
        guard let number = numbers[key] else { throw PluginOptionError(key: key, expected: "a number", found: text) }
        return number
    }

    /// Throws `PluginOptionError` where a key is given that is not among `known`.
    public func check(known: Set<String>) throws(PluginOptionError) {
        for (key, text) in texts.sorted(by: { $0.key < $1.key }) where !known.contains(key) {
            let names = known.sorted().joined(separator: ", ")
            throw PluginOptionError(key: key, expected: known.isEmpty ? "no options" : names, found: text)
        }
    }
}

/// What is wrong with an option.
public struct PluginOptionError: Error, CustomStringConvertible {
    public let key: String
    public let expected: String
    public let found: String

    public init(key: String, expected: String, found: String) {
        self.key = key
        self.expected = expected
        self.found = found
    }

    public var description: String { "\(key): expected \(expected), found \"\(found)\"" }
}
