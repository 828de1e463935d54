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
    fileprivate static func string(
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

    fileprivate static func isText(_ text: String) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}

extension ConfigurationType where Value == [String] {
    /// Values of one kind in a sequence, described by `expected`.
    private static func sequence(_ expected: String, of one: ConfigurationType<String>) -> ConfigurationType {
        ConfigurationType(expected: expected) { node, context throws(ValueMismatch) in
            guard !node.isNull else { return [] }
            guard case .sequence(let nodes) = node.content else { throw ValueMismatch() }
            var values: [String] = []
            for node in nodes {
                do throws(ValueMismatch) { values.append(try one.decode(node, context)) } catch {
                    throw ValueMismatch(expected: error.expected ?? one.expected, part: node)
                }
            }
            return values
        } render: {
            "[" + $0.map(one.render).joined(separator: ", ") + "]"
        }
    }

    /// Paths in a sequence; `~` and relative ones are resolved.
    static var paths: ConfigurationType {
        sequence("a sequence of paths, such as [libpolicy.so]", of: .path("a path"))
    }

    /// Origins of web pages in a sequence.
    static var origins: ConfigurationType {
        sequence(
            "a sequence of origins, such as [\"https://chat.example.com\"]",
            of: .string("an origin such as https://chat.example.com, without a path, or *") { text in
                guard let separator = text.firstRange(of: "://") else { return text == "*" || text == "null" }
                let authority = text[separator.upperBound...]
                return !authority.isEmpty && !authority.contains("/")
                    && text.utf8.allSatisfy { (0x21..<0x7F).contains($0) }
            })
    }

    /// Host names in a sequence.
    static var hostNames: ConfigurationType {
        sequence(
            "a sequence of host names, such as [llm.example.com]",
            of: .string("a host name such as llm.example.com, without a port, or *") { text in
                text == "*" || (!text.isEmpty && text.utf8.allSatisfy { PlainName.allows($0) })
            })
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

extension ConfigurationType where Value == [String] {
    /// Some of `names`, in a sequence; or one name, or several with commas between, as a text.
    static func names(_ expected: String, among known: [String]? = nil) -> ConfigurationType {
        ConfigurationType(expected: expected) { node, _ throws(ValueMismatch) in
            var names: [String] = []
            if case .sequence(let nodes) = node.content {
                for node in nodes {
                    guard let text = node.text else { throw ValueMismatch() }
                    names.append(text)
                }
            } else {
                guard let text = node.text else { throw ValueMismatch() }
                names = text.split(separator: ",").map { String($0.drop { $0 == " " }) }
            }
            for name in names {
                guard !name.isEmpty, name.utf8.allSatisfy({ PlainName.allows($0) }) else { throw ValueMismatch() }
                if let known, !known.contains(name) {
                    throw ValueMismatch(suggestion: Suggestion.nearest(to: name, among: known))
                }
            }
            return names
        } render: {
            "[" + $0.map { QuotedText.text($0) }.joined(separator: ", ") + "]"
        }
    }
}
