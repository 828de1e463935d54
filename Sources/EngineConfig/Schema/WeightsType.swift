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
