import ModelHub

/// Turns YAML trees into a configuration and collects every mistake.
struct ConfigurationDecoder {
    private var configuration = EngineConfiguration()
    private var issues: [ConfigurationIssue] = []
    /// Where the file opens each section, for what is missing in it.
    private var sectionMarks: [String: SourceMark] = [:]
    /// Every key that was given, well or badly.
    private var given: Set<String> = []
    /// Sections and keys with an issue: nothing more is derived from those.
    private var faulty: Set<String> = []
    private var isReadable = true
    private let file: String
    private let homeDirectory: String?
    private let modelCache: HubCache?

    /// The source of a node: the file, or an override.
    private enum Source { case file, override }

    init(file: String, homeDirectory: String?, modelCache: HubCache? = nil) {
        self.file = file
        self.homeDirectory = homeDirectory
        self.modelCache = modelCache
        configuration.file = file
    }

    /// Takes over what the file says.
    mutating func apply(file bytes: [UInt8]) {
        guard let root = document(of: bytes, { decoder, problem in decoder.report(problem, .file) }) else {
            return isReadable = false
        }
        guard !root.isNull else {
            isReadable = false
            return report(mark: .start, nil, "the file is empty; give at least model.path", .file)
        }
        apply(root: root)
    }

    /// The root of a text, null when it is empty; nil when it cannot be read.
    private mutating func document(
        of bytes: [UInt8], _ report: (inout ConfigurationDecoder, YAMLProblem) -> Void
    ) -> YAMLNode? {
        do throws(YAMLProblem) {
            var composer = try YAMLComposer(bytes)
            let result = Result { () throws(YAMLProblem) in try composer.document() }
            for duplicate in composer.duplicates { report(&self, duplicate) }
            return try result.get() ?? YAMLNode(content: .scalar(text: "", isPlain: true), mark: .start)
        } catch {
            report(&self, error)
            return nil
        }
    }

    /// Takes over that the command line names a model instead of a file.
    mutating func apply(model path: String) {
        configuration.model.path = path
        configuration.origins["model.path"] = .argument
        given.insert("model.path")
    }

    private mutating func apply(root: YAMLNode) {
        guard case .mapping(let entries) = root.content else {
            report(
                YAMLProblem(mark: root.mark, message: "expected sections such as model:, found \(root.phrase)"), .file)
            isReadable = false
            return
        }
        for entry in entries { apply(section: entry, .file) }
    }

    /// Takes over `section.key=value`, the value being YAML.
    mutating func apply(override: String) {
        guard let equals = override.firstIndex(of: "="), equals != override.startIndex else {
            // What follows the key may be a secret.
            let key = Excerpt.quoted(String(override.prefix { $0.utf8.allSatisfy(PlainName.allows) }))
            let found = override.hasPrefix("=") ? "no key" : "no = after \(key)"
            issues.append(
                ConfigurationIssue(message: "expected KEY=VALUE such as cache.block_size=32, found \(found)"))
            return
        }
        let keyPath = String(override[..<equals])
        let value = document(of: Array(override[override.index(after: equals)...].utf8)) { decoder, problem in
            let fullPath = [Excerpt.bare(keyPath), problem.keyPath].compactMap(\.self).joined(separator: ".")
            decoder.report(mark: .start, fullPath, problem.message, .override)
        }
        guard let value else { return }
        let parts = keyPath.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        let leaf = YAMLNode.Entry(key: parts[parts.count - 1], mark: .start, value: value)
        guard parts.count == 2 else { return apply(section: leaf, .override) }
        let section = YAMLNode(content: .mapping([leaf]), mark: .start)
        apply(section: YAMLNode.Entry(key: parts[0], mark: .start, value: section), .override)
    }

    /// The configuration, if nothing was wrong.
    consuming func finish() throws(ConfigurationError) -> EngineConfiguration {
        if isReadable { check() }
        guard issues.isEmpty else { throw ConfigurationError(sorted(issues)) }
        for section in EngineConfiguration.sections { section.complete(&configuration) }
        return configuration
    }
}

extension ConfigurationDecoder {
    private mutating func apply(section entry: YAMLNode.Entry, _ source: Source) {
        guard let schema = EngineConfiguration.sections.first(where: { $0.name == entry.key }) else {
            let message = "unknown section" + UnknownName.clause(section: entry.key)
            return report(mark: entry.mark, Excerpt.bare(entry.key), message, source)
        }
        if source == .file { sectionMarks[schema.name] = entry.mark }
        if schema.isOneKey { return apply(key: entry, of: schema, source) }
        // A section whose keys are all commented out is an empty one.
        if entry.value.isNull && source == .file { return }
        guard case .mapping(let entries) = entry.value.content else {
            faulty.insert(schema.name)
            let keys = "keys such as \(schema.keys[0].name):"
            let isSecret = schema.keys.contains(where: \.isSecret) && entry.value.text != nil
            let found = isSecret ? "something else" : entry.value.phrase
            return report(mark: entry.value.mark, schema.name, "expected \(keys), found \(found)", source)
        }
        for entry in entries { apply(key: entry, of: schema, source) }
    }

    private mutating func apply(key entry: YAMLNode.Entry, of section: SectionSchema, _ source: Source) {
        guard let key = section.key(named: entry.key) ?? section.key(formerlyNamed: entry.key) else {
            let message = "unknown key" + UnknownName.clause(key: entry.key, in: section)
            return report(mark: entry.mark, section.path(of: Excerpt.bare(entry.key)), message, source)
        }
        let keyPath = section.path(of: key.name)
        if key.name != entry.key, !renamed(entry, to: keyPath, in: section, source) { return }
        for (former, current) in key.formerValues.sorted(by: { $0.key < $1.key }) where entry.value.names(former) {
            let message = current.isEmpty ? "no longer has an effect" : "is now called \(current)"
            warn(mark: entry.value.mark, keyPath, "\(former) \(message)", source)
        }
        given.insert(keyPath)
        var context = PathContext(homeDirectory: homeDirectory, file: source == .file ? file : "")
        context.modelCache = modelCache
        do throws(ValueMismatch) {
            try key.decode(entry.value, context, &configuration)
            let mark = entry.value.mark
            configuration.origins[keyPath] =
                source == .file ? .file(line: mark.line, column: mark.column) : .override
        } catch {
            faulty.insert(keyPath)
            let value = error.part ?? entry.value
            let found = key.isSecret && value.text != nil ? "something else" : value.phrase
            let message = "expected \(error.expected ?? key.expected), found \(found)"
            report(mark: value.mark, keyPath, message + Suggestion.clause(error.suggestion), source)
        }
    }

    /// Warns that a key was given under the name that it had before. False where the file gives both names, which is an
    /// error.
    private mutating func renamed(
        _ entry: YAMLNode.Entry, to keyPath: String, in section: SectionSchema, _ source: Source
    ) -> Bool {
        let former = section.path(of: entry.key)
        if source == .file, case .file(let line, _) = configuration.origin(of: keyPath) {
            report(mark: entry.mark, former, "the former name of \(keyPath), which line \(line) gives", source)
            return false
        }
        warn(mark: entry.mark, former, "now called \(keyPath)", source)
        return true
    }

    private mutating func warn(mark: SourceMark, _ keyPath: String, _ message: String, _ source: Source) {
        configuration.warnings.append(issue(mark: mark, keyPath, message, source))
    }

    /// What can be judged only when everything was read: required keys and rules over two keys.
    private mutating func check() {
        for section in EngineConfiguration.sections where !faulty.contains(section.name) {
            for key in section.keys where key.isRequired && !given.contains(section.path(of: key.name)) {
                let mark = sectionMarks[section.name] ?? .start
                report(mark: mark, section.path(of: key.name), "required, but not given", .file)
            }
            for rule in section.rules { check(rule, of: section) }
        }
    }

    private mutating func check(_ rule: ConfigurationRule<EngineConfiguration>, of section: SectionSchema) {
        let keys = [rule.keys.first, rule.keys.second].map { section.path(of: $0) }
        guard faulty.isDisjoint(with: keys), let violation = rule.violation(configuration) else { return }
        // The error names the key that was given last: by the command line, or in the lower line of the file.
        let (first, second) = (configuration.origin(of: keys[0]), configuration.origin(of: keys[1]))
        let blamed = isLater(first, than: second) ? 0 : 1
        let other = configuration.origin(of: keys[1 - blamed])
        let message = "conflicts with \(keys[1 - blamed]) (\(other.phrase)): \(violation)"
        issues += configuration.error(at: keys[blamed], message: message).issues
    }

    private func isLater(_ left: ValueOrigin, than right: ValueOrigin) -> Bool {
        switch (left, right) {
        case (.file(let line, let column), .file(let otherLine, let otherColumn)):
            (line, column) > (otherLine, otherColumn)
        case (.override, .file), (.override, .default), (.override, .argument), (.file, .default): true
        default: false
        }
    }

    private mutating func report(_ problem: YAMLProblem, _ source: Source) {
        report(mark: problem.mark, problem.keyPath, problem.message, source)
    }

    private mutating func report(mark: SourceMark, _ keyPath: String?, _ message: String, _ source: Source) {
        issues.append(issue(mark: mark, keyPath, message, source))
    }

    private func issue(
        mark: SourceMark, _ keyPath: String?, _ message: String, _ source: Source
    ) -> ConfigurationIssue {
        switch source {
        case .file:
            ConfigurationIssue(file: file, line: mark.line, column: mark.column, keyPath: keyPath, message: message)
        case .override: ConfigurationIssue(keyPath: keyPath, message: message)
        }
    }

    /// The file's issues by line and column, then those of the overrides as given.
    private func sorted(_ issues: [ConfigurationIssue]) -> [ConfigurationIssue] {
        let ofFile = issues.enumerated().filter { $0.element.file != nil }.sorted {
            ($0.element.line ?? 0, $0.element.column ?? 0, $0.offset)
                < ($1.element.line ?? 0, $1.element.column ?? 0, $1.offset)
        }
        return ofFile.map(\.element) + issues.filter { $0.file == nil }
    }
}
