import CLibrary
import ModelHub

/// A value that does not fit its key: what else the message should say beside "expected …, found …".
struct ValueMismatch: Error {
    /// Replaces the type's own phrase where a nearer reason is known.
    var expected: String?
    /// What was probably meant.
    var suggestion: String?
    /// The part of the value that does not fit, where it is not the whole.
    var part: YAMLNode?
}

/// The kind of value a key takes: how it is called, read from YAML and written as YAML.
struct ConfigurationType<Value: Sendable>: Sendable {
    /// Completes "expected …": `a power of two from 1 to 256`.
    var expected: String
    /// Reads a value.
    var decode: @Sendable (YAMLNode, PathContext) throws(ValueMismatch) -> Value
    /// Writes a value as YAML that `decode` reads back to an equal one.
    var render: @Sendable (Value) -> String
    /// Values that `decode` takes for others, by the names that they had before.
    var formerValues: [String: String] = [:]

    init(
        expected: String, decode: @escaping @Sendable (YAMLNode, PathContext) throws(ValueMismatch) -> Value,
        render: @escaping @Sendable (Value) -> String
    ) {
        self.expected = expected
        self.decode = decode
        self.render = render
    }
}

extension ConfigurationType where Value == Int {
    /// Whole numbers in a range that also meet `constraint`.
    private static func integer(
        _ expected: String, where constraint: @escaping @Sendable (Int) -> Bool
    ) -> ConfigurationType {
        ConfigurationType(expected: expected) { node, _ throws(ValueMismatch) in
            guard let text = node.plainText, let value = Int(text), constraint(value) else { throw ValueMismatch() }
            return value
        } render: {
            String($0)
        }
    }

    /// An integer in a range.
    static func integer(in range: ClosedRange<Int>) -> ConfigurationType {
        integer("an integer from \(range.lowerBound) to \(range.upperBound)", where: range.contains)
    }

    /// A power of two in a range.
    static func powerOfTwo(in range: ClosedRange<Int>) -> ConfigurationType {
        integer("a power of two from \(range.lowerBound) to \(range.upperBound)") {
            range.contains($0) && $0.nonzeroBitCount == 1
        }
    }

    /// A number of bytes: plain, or with KiB, MiB, GiB or TiB.
    static func byteCount(in range: ClosedRange<Int>) -> ConfigurationType {
        let limits = "from \(ByteCount.text(range.lowerBound)) to \(ByteCount.text(range.upperBound))"
        return ConfigurationType(expected: "a size \(limits), such as 4GiB or 512MiB") {
            node, _ throws(ValueMismatch) in
            let text = node.text ?? ""
            guard let value = ByteCount.parse(text) else {
                throw ValueMismatch(suggestion: ByteCount.suggestion(for: text))
            }
            guard range.contains(value) else { throw ValueMismatch() }
            return value
        } render: {
            ByteCount.text($0)
        }
    }
}

extension ConfigurationType where Value == Double {
    /// A finite number in a range.
    static func number(in range: ClosedRange<Double>) -> ConfigurationType {
        let limits = "from \(DecimalText.text(range.lowerBound)) to \(DecimalText.text(range.upperBound))"
        return ConfigurationType(expected: "a number \(limits)") { node, _ throws(ValueMismatch) in
            guard let value = node.plainText.flatMap({ DecimalText.parse($0) }), range.contains(value) else {
                throw ValueMismatch()
            }
            return value
        } render: {
            DecimalText.text($0)
        }
    }

    /// Seconds: plain, or with ms, s, m or h.
    static func seconds(in range: ClosedRange<Double>) -> ConfigurationType {
        let limits = "from \(DecimalText.text(range.lowerBound)) to \(DecimalText.text(range.upperBound)) seconds"
        return ConfigurationType(expected: "a duration \(limits), such as 30, 1.5, 500ms or 2m") {
            node, _ throws(ValueMismatch) in
            guard let value = Seconds.parse(node.text ?? ""), range.contains(value) else { throw ValueMismatch() }
            return value
        } render: {
            DecimalText.text($0)
        }
    }
}

extension ConfigurationType where Value == Bool {
    /// `true` or `false`; YAML 1.1's `yes`, `on` and friends are refused, with a hint.
    static var boolean: ConfigurationType {
        ConfigurationType(expected: "true or false") { node, _ throws(ValueMismatch) in
            switch node.plainText?.lowercased() {
            case "true": return true
            case "false": return false
            case "yes", "on", "y", "1": throw ValueMismatch(suggestion: "true")
            case "no", "off", "n", "0": throw ValueMismatch(suggestion: "false")
            default: throw ValueMismatch()
            }
        } render: {
            String($0)
        }
    }
}

extension ConfigurationType where Value == String {
    static func string(
        _ expected: String, where constraint: @escaping @Sendable (String) -> Bool
    ) -> ConfigurationType {
        ConfigurationType(expected: expected) { node, _ throws(ValueMismatch) in
            guard let text = node.text, constraint(text) else { throw ValueMismatch() }
            return text
        } render: {
            QuotedText.text($0)
        }
    }

    /// A text of at least one character, without control characters; numbers and the like count as text.
    static func text(_ expected: String) -> ConfigurationType {
        string(expected, where: isText)
    }

    /// The name of a plugin; whether it exists is for the registry to say.
    static func name(of thing: String) -> ConfigurationType {
        string("the name of \(thing)") { text in
            !text.isEmpty && text.utf8.allSatisfy { PlainName.allows($0) }
        }
    }

    /// What an HTTP header can carry as one word.
    static var token: ConfigurationType {
        string("printable ASCII without spaces") { text in
            !text.isEmpty && text.utf8.allSatisfy { (0x21..<0x7F).contains($0) }
        }
    }

    /// A path; `~` and relative ones are resolved.
    static func path(_ expected: String) -> ConfigurationType {
        ConfigurationType(expected: expected) { node, context throws(ValueMismatch) in
            guard let text = node.text, isText(text) else { throw ValueMismatch() }
            guard let path = context.resolve(text) else {
                throw ValueMismatch(expected: "a path without ~, as no home directory is known")
            }
            return path
        } render: {
            QuotedText.text($0)
        }
    }

    /// The path of a model; or where nothing is at that path, the name of one in the cache of models.
    static func modelPath(_ expected: String) -> ConfigurationType {
        let path = path(expected)
        return ConfigurationType(expected: expected) { node, context throws(ValueMismatch) in
            let resolved = try path.decode(node, context)
            guard let cache = context.modelCache, access(resolved, F_OK) != 0,
                let name = node.text.flatMap({ try? ModelReference($0) })
            else { return resolved }
            do throws(HubError) { return try cache.model(name) ?? resolved } catch {
                throw ValueMismatch(expected: "a model (\(error))")
            }
        } render: {
            path.render($0)
        }
    }

    fileprivate static func isText(_ text: String) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}

extension ConfigurationType where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of an enumeration's names.
    static var choice: ConfigurationType {
        let names = Value.allCases.map(\.rawValue)
        let expected = names.dropLast().joined(separator: ", ") + " or \(names[names.count - 1])"
        return ConfigurationType(expected: expected) { node, _ throws(ValueMismatch) in
            guard let text = node.text else { throw ValueMismatch() }
            guard let value = Value(rawValue: text) else {
                throw ValueMismatch(suggestion: Suggestion.nearest(to: text, among: names))
            }
            return value
        } render: {
            QuotedText.text($0.rawValue)
        }
    }
}

extension ConfigurationType {
    /// `auto`, which is nil, or one of an enumeration's names.
    static func automatic<Choice>() -> ConfigurationType
    where Value == Choice?, Choice: RawRepresentable & CaseIterable & Sendable, Choice.RawValue == String {
        let choice = ConfigurationType<Choice>.choice
        let names = ["auto"] + Choice.allCases.map(\.rawValue)
        return ConfigurationType(expected: "auto, " + choice.expected) { node, context throws(ValueMismatch) in
            if node.text == "auto" { return nil }
            do throws(ValueMismatch) { return try choice.decode(node, context) } catch {
                throw ValueMismatch(suggestion: node.text.flatMap { Suggestion.nearest(to: $0, among: names) })
            }
        } render: {
            $0.map(choice.render) ?? "auto"
        }
    }
}

/// What a path in a configuration is relative to.
struct PathContext: Sendable {
    /// What `~` stands for, if the caller knows.
    var homeDirectory: String?
    /// The folder of the configuration file; empty for the current directory.
    var folder: String
    /// Where models are that are named `ORG/NAME`.
    var modelCache: HubCache?

    init(homeDirectory: String?, folder: String) {
        self.homeDirectory = homeDirectory
        self.folder = folder
    }

    /// For values of a file: relative paths start at the file's own folder.
    init(homeDirectory: String?, file: String) {
        let end = file.lastIndex(of: "/")
        self.init(homeDirectory: homeDirectory, folder: end.map { String(file[...$0]) } ?? "")
    }

    /// The path with `~` and the folder put in front; nil when there is a `~` that cannot be expanded.
    func resolve(_ path: String) -> String? {
        if path.hasPrefix("/") { return path }
        if path == "~" || path.hasPrefix("~/") {
            guard let homeDirectory else { return nil }
            return (homeDirectory.hasSuffix("/") ? String(homeDirectory.dropLast()) : homeDirectory) + path.dropFirst()
        }
        var rest = Substring(path)
        while !folder.isEmpty, rest.hasPrefix("./") { rest = rest.dropFirst(2) }
        return folder + rest
    }
}
