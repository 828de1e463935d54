import Reports

extension ComparisonReport: CustomStringConvertible {
    /// The table, the worst prompts and what went wrong, for a terminal.
    public var description: String {
        let figures = ComparisonFigures(self)
        var rows = [[""] + configurations.map { printable($0.name) }]
        var titles: [Int: String] = [:]
        for section in figures.sections where !section.rows.isEmpty {
            titles[rows.count] = section.title
            rows += section.rows
        }
        var text = ""
        for (index, line) in TextTable(rows).text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        {
            if let title = titles[index] { text += "\n\(printable(title))\n" }
            if !line.isEmpty { text += line + "\n" }
        }
        for configuration in configurations { text += notes(configuration) }
        return text
    }

    private func notes(_ configuration: Configuration) -> String {
        let name = printable(configuration.name)
        var text = ""
        if let failure = configuration.failure {
            text += "\n\(name) was not measured to the end: \(printable(failure))\n"
        }
        if let obstacle = configuration.quality?.obstacle {
            text += "\n\(name) cannot be compared in everything: \(printable(obstacle))\n"
        }
        guard let reference, !configuration.worstPrompts.isEmpty else { return text }
        text += "\nWhere \(name) leaves \(printable(reference)) first:\n"
        for worst in configuration.worstPrompts.prefix(3) {
            let percent = Numeral.fixed(worst.referenceProbability * 100, places: 0)
            let rows = [
                ["  prompt", excerpt(worst.prompt)],
                [
                    "  same",
                    "\(worst.identicalTokens) tokens"
                        + (worst.sameText.isEmpty ? "" : ": " + excerpt(worst.sameText, end: true)),
                ],
                ["  " + printable(reference), excerpt(worst.referenceText) + "   (its first token had \(percent) %)"],
                ["  " + name, excerpt(worst.text)],
            ]
            text +=
                TextTable(rows, leadingColumns: 2).text.split(separator: "\n").map { line in
                    String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
                }.joined() + "\n"
        }
        text.removeLast()
        return text
    }

    /// At most 100 characters in one line, from the beginning or the end.
    private func excerpt(_ text: String, end: Bool = false) -> String {
        let limit = 100
        guard text.count > limit else { return "\"\(printable(text))\"" }
        return end ? "\"…\(printable(String(text.suffix(limit))))\"" : "\"\(printable(String(text.prefix(limit))))…\""
    }

    /// Without what a terminal could take for a command.
    private func printable(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case _ where scalar == "\n": result += "\\n"
            case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
