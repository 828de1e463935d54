extension ConfigurationType where Value == [String: String] {
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
