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
    /// What its keys' lines begin with.
    fileprivate var indent: String { isOneKey ? "" : "  " }
}

extension ConfigurationKey {
    /// A comment and a `key: value` line; the line is a comment too when the default is to leave the key out.
    fileprivate func documentation(defaults: Target, indent: String) -> [String] {
        let value = unset == nil && !isRequired ? render(defaults) : nil
        let standard = isRequired ? "required" : "default: \(unset ?? value ?? "")"
        let setting = "\(name): \(value ?? example ?? "")"
        return [
            "\(indent)# \(explanation).",
            "\(indent)# Expects \(expected); \(standard).",
            unset == nil ? "\(indent)\(setting)" : "\(indent)# \(setting)",
        ]
    }
}
