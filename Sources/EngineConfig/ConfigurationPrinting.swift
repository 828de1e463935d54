extension EngineConfiguration {
    /// Every key with its explanation, what it accepts and its default, as a configuration file that loads.
    public static func schema() -> String {
        let defaults = EngineConfiguration()
        var lines = ["# Every key of a Quire configuration, with its default.", "# Only model.path must be given."]
        for section in sections {
            lines += ["", "# \(section.name): \(section.summary)"]
            if !section.isOneKey { lines.append("\(section.name):") }
            for key in section.keys { lines += key.documentation(defaults: defaults, indent: section.indent) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Every key as tables in Markdown, one for each section: `Configs/README.md`.
    public static func markdownReference() -> String {
        let defaults = EngineConfiguration()
        var lines = [
            "# Configuration reference", "",
            "`quire config schema --markdown` writes this page; [full.yaml](full.yaml) has the same keys as YAML.",
            "Only `model.path` must be given. A command takes a model (a .gguf file, the directory of a checkpoint) in place of",
            "a file, and `--set SECTION.KEY=VALUE` changes any key.",
        ]
        for section in sections {
            let isScoped = section.keys.contains { !$0.scope.isEmpty }
            lines += [
                "", "## \(section.name)", "",
                section.summary.prefix(1).uppercased() + section.summary.dropFirst() + ".",
            ]
            lines +=
                isScoped
                ? ["", "| key | for | default | meaning |", "|---|---|---|---|"]
                : ["", "| key | default | meaning |", "|---|---|---|"]
            for key in section.keys { lines.append(key.tableRow(in: section, defaults: defaults, isScoped: isScoped)) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The configuration in effect as YAML, each value with where it came from.
    ///
    /// Read again from the current directory it gives an equal configuration, if there was no secret to hide.
    ///
    /// - Parameter revealingSecrets: whether to print `server.api_key`, which may end up in a log.
    public func show(revealingSecrets: Bool = false) -> String {
        var lines = ["# The configuration in effect; relative paths start at the current directory."]
        for section in Self.sections {
            let indent = section.indent
            if !section.isOneKey { lines.append("\(section.name):") }
            for key in section.keys {
                let origin = origin(of: section.path(of: key.name)).phrase
                let value = key.render(self)
                if key.isSecret && value != nil && !revealingSecrets {
                    lines.append("\(indent)# \(key.name): not shown  # \(origin)")
                } else if let value {
                    lines.append("\(indent)\(key.name): \(value)  # \(origin)")
                } else {
                    lines.append("\(indent)# \(key.name): not set; \(key.unset ?? "")")
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension SectionSchema {
    /// The indentation of its keys.
    fileprivate var indent: String { isOneKey ? "" : "  " }
}

extension ConfigurationKey {
    /// A comment and a `key: value` line; the line is a comment too when the default is to leave the key out.
    fileprivate func documentation(defaults: Target, indent: String) -> [String] {
        let value = unset == nil && !isRequired ? render(defaults) : nil
        let standard = isRequired ? "required" : "default: \(unset ?? value ?? "")"
        let setting = "\(name): \(value ?? example ?? "")"
        let readers = scope.isEmpty ? "" : "For \(scope.joined(separator: ", ")): "
        return [
            "\(indent)# \(readers)\(explanation).",
            "\(indent)# Expects \(expected); \(standard).",
            unset == nil ? "\(indent)\(setting)" : "\(indent)# \(setting)",
        ]
    }

    /// One row of the reference: key, the backends or policies that read it, default, explanation with what it expects.
    fileprivate func tableRow(in section: SectionSchema, defaults: Target, isScoped: Bool) -> String {
        let standard =
            if isRequired { "required" } else if let unset { unset } else { "`\(render(defaults) ?? "")`" }
        var cells = ["`\(section.path(of: name))`"]
        if isScoped { cells.append(scope.isEmpty ? "all" : scope.joined(separator: ", ")) }
        cells += [standard, "\(explanation). Expects \(expected)."]
        return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
}
