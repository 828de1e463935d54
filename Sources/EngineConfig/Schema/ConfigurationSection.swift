/// A section of the file: the keys, and the rules between them.
protocol ConfigurationSection: Sendable, Equatable {
    /// The name in YAML.
    static var name: String { get }
    /// One phrase for the user.
    static var summary: String { get }
    static var keys: [ConfigurationKey<Self>] { get }
    static var rules: [ConfigurationRule<Self>] { get }
    /// Whether it is no mapping but the value of its only key, which has its name.
    static var isOneKey: Bool { get }
    /// Fills in the defaults that depend on other keys.
    mutating func complete()
}

extension ConfigurationSection {
    static var rules: [ConfigurationRule<Self>] { [] }
    static var isOneKey: Bool { false }
    mutating func complete() {}
}

/// A section as the decoder and the printers see it: everything over the whole configuration.
struct SectionSchema: Sendable {
    var name: String
    var summary: String
    var isOneKey: Bool
    var keys: [ConfigurationKey<EngineConfiguration>]
    var rules: [ConfigurationRule<EngineConfiguration>]
    var complete: @Sendable (inout EngineConfiguration) -> Void

    init<Section: ConfigurationSection>(_ path: any WritableKeyPath<EngineConfiguration, Section> & Sendable) {
        name = Section.name
        summary = Section.summary
        isOneKey = Section.isOneKey
        keys = Section.keys.map { $0.lifted(path) }
        rules = Section.rules.map { rule in
            ConfigurationRule(rule.keys.first, rule.keys.second) { rule.violation($0[keyPath: path]) }
        }
        complete = { $0[keyPath: path].complete() }
    }

    /// What the key of that name is called in messages and overrides.
    func path(of key: String) -> String { isOneKey ? name : "\(name).\(key)" }

    /// The key of that name.
    func key(named name: String) -> ConfigurationKey<EngineConfiguration>? {
        keys.first { $0.name == name }
    }

    /// The key that had that name before.
    func key(formerlyNamed name: String) -> ConfigurationKey<EngineConfiguration>? {
        keys.first { $0.formerNames.contains(name) }
    }
}

/// A rule over two keys of a section.
struct ConfigurationRule<Target>: Sendable {
    /// The keys that can break it together.
    var keys: (first: String, second: String)
    /// What is wrong, or nil when nothing is.
    var violation: @Sendable (Target) -> String?

    init(_ first: String, _ second: String, violation: @escaping @Sendable (Target) -> String?) {
        keys = (first, second)
        self.violation = violation
    }
}
