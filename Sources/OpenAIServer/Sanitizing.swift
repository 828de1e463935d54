extension String {
    /// The text as one short line for logs and messages: control characters become `?`, long texts are cut.
    var inOneLine: String {
        var line = String.UnicodeScalarView()
        for scalar in unicodeScalars.prefix(200) {
            // Line and paragraph separators, direction marks and controls could fake or hide lines of a log.
            let isPlain =
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
                default: true
                }
            line.append(isPlain ? scalar : "?")
        }
        return String(line) + (unicodeScalars.count > 200 ? "…" : "")
    }
}
