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

extension ConfigurationType where Value == [String] {
    /// Names in a sequence; or one name, or several with commas between, as a text. Where `known` is given, only those, and
    /// the names that they had before; a former name that stands for "" no longer means anything.
    static func names(
        _ expected: String, among known: [String]? = nil, formerly former: [String: String] = [:]
    ) -> ConfigurationType {
        let former = former.filter { known?.contains($0.key) != true }
        var type = ConfigurationType(expected: expected) { node, _ throws(ValueMismatch) in
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
            for (index, name) in names.enumerated() {
                guard !name.isEmpty, name.utf8.allSatisfy({ PlainName.allows($0) }) else { throw ValueMismatch() }
                guard let known, !known.contains(name) else { continue }
                guard let current = former[name] else {
                    throw ValueMismatch(suggestion: Suggestion.nearest(to: name, among: known))
                }
                names[index] = current
            }
            return names.filter { !$0.isEmpty }
        } render: {
            "[" + $0.map { QuotedText.text($0) }.joined(separator: ", ") + "]"
        }
        type.formerValues = former
        return type
    }
}

extension ConfigurationType {
    /// Some of an enumeration's names, written as `names` reads them.
    static func choices<Choice>(_ expected: String, formerly former: [String: String] = [:]) -> ConfigurationType
    where Value == [Choice], Choice: RawRepresentable & CaseIterable & Sendable, Choice.RawValue == String {
        let names = ConfigurationType<[String]>.names(
            expected, among: Choice.allCases.map(\.rawValue), formerly: former)
        var type = ConfigurationType(expected: expected) { node, context throws(ValueMismatch) in
            try names.decode(node, context).compactMap { Choice(rawValue: $0) }
        } render: {
            names.render($0.map(\.rawValue))
        }
        type.formerValues = names.formerValues
        return type
    }
}

extension ConfigurationType where Value == [String: Double] {
    /// A mapping of names to positive numbers.
    static var weights: ConfigurationType {
        ConfigurationType(expected: "a mapping of names to numbers from 0.001 to 1000, such as {alice: 2}") {
            node, _ throws(ValueMismatch) in
            guard case .mapping(let entries) = node.content else { throw ValueMismatch() }
            var weights: [String: Double] = [:]
            for entry in entries {
                guard let value = entry.value.plainText.flatMap({ DecimalText.parse($0) }),
                    (0.001...1000).contains(value)
                else {
                    let expected = "a number from 0.001 to 1000 for \(Excerpt.bare(entry.key))"
                    throw ValueMismatch(expected: expected, part: entry.value)
                }
                weights[entry.key] = value
            }
            return weights
        } render: { weights in
            let entries = weights.sorted { $0.key < $1.key }
            return "{"
                + entries.map { "\(QuotedText.text($0.key)): \(DecimalText.text($0.value))" }.joined(separator: ", ")
                + "}"
        }
    }
}

extension ConfigurationType where Value == [String: String] {
    /// Names and paths; `~` and relative paths are resolved.
    static var namedPaths: ConfigurationType {
        let path = ConfigurationType<String>.path("a path")
        return ConfigurationType(expected: "a mapping of names to paths, such as {german: adapters/german}") {
            node, context throws(ValueMismatch) in
            guard !node.isNull else { return [:] }
            guard case .mapping(let entries) = node.content else { throw ValueMismatch() }
            var paths: [String: String] = [:]
            for entry in entries {
                guard !entry.key.isEmpty, !entry.key.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
                    throw ValueMismatch(expected: "names of adapters without control characters", part: entry.value)
                }
                do throws(ValueMismatch) { paths[entry.key] = try path.decode(entry.value, context) } catch {
                    throw ValueMismatch(
                        expected: error.expected ?? "a path for \(Excerpt.bare(entry.key))", part: entry.value)
                }
            }
            return paths
        } render: { paths in
            let entries = paths.sorted { $0.key < $1.key }
            return "{"
                + entries.map { "\(QuotedText.text($0.key)): \(QuotedText.text($0.value))" }.joined(separator: ", ")
                + "}"
        }
    }

    /// Names and values that are for others to judge: texts, numbers and the like, all kept as written.
    static var texts: ConfigurationType {
        ConfigurationType(expected: "a mapping of names to texts or numbers, such as {weight: 2}") {
            node, _ throws(ValueMismatch) in
            guard case .mapping(let entries) = node.content else { throw ValueMismatch() }
            var texts: [String: String] = [:]
            for entry in entries {
                guard let text = entry.value.text, !(entry.key + text).unicodeScalars.contains("\0") else {
                    let expected = "a text or a number for \(Excerpt.bare(entry.key))"
                    throw ValueMismatch(expected: expected, part: entry.value)
                }
                texts[entry.key] = text
            }
            return texts
        } render: { texts in
            let entries = texts.sorted { $0.key < $1.key }
            return "{"
                + entries.map { "\(QuotedText.text($0.key)): \(QuotedText.text($0.value))" }.joined(separator: ", ")
                + "}"
        }
    }
}
