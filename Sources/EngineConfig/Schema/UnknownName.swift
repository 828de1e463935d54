/// Words the advice for a section or key that does not exist.
enum UnknownName {
    /// For a name at the top of the file: a section, or a key that belongs into one.
    static func clause(section name: String) -> String {
        let sections = EngineConfiguration.sections
        if let near = Suggestion.nearest(to: name, among: sections.map(\.name)) { return Suggestion.clause(near) }
        if let home = sections.first(where: { $0.key(named: name) != nil }) {
            return Suggestion.clause(home.path(of: name))
        }
        return "; the sections are \(sections.map(\.name).joined(separator: ", "))"
    }

    /// For a name inside a section: one of its keys, or one of another section.
    static func clause(key name: String, in section: SectionSchema) -> String {
        let homes = EngineConfiguration.sections.filter { $0.key(named: name) != nil }
        if homes.count == 1 { return Suggestion.clause(homes[0].path(of: name)) }
        let names = section.keys.map(\.name)
        if let near = Suggestion.nearest(to: name, among: names) { return Suggestion.clause(near) }
        return "; the keys of \(section.name) are \(names.joined(separator: ", "))"
    }
}
