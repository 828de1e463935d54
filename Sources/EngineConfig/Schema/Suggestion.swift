/// Finds the name that a misspelt one was probably meant to be.
enum Suggestion {
    /// Names longer than this are compared with nothing: no key is near that long.
    private static let maximumLength = 64

    /// The candidate nearest to `name` by edit distance, if it is near; else one that `name` contains or begins.
    static func nearest(to name: String, among candidates: [String]) -> String? {
        let given = normalized(name)
        guard !given.isEmpty, given.count <= maximumLength else { return nil }
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let distance = editDistance(given, normalized(candidate))
            guard distance <= max(1, min(given.count, candidate.utf8.count) / 3) else { continue }
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        // `gpu_memory_utilization` has a large edit distance from `memory_utilization`, but contains it.
        let contained = candidates.filter { $0.utf8.count >= 4 && contains(given, normalized($0)) }
        return best?.candidate ?? contained.max { $0.utf8.count < $1.utf8.count }
            ?? candidates.first { given.count >= 3 && normalized($0).starts(with: given) }
    }

    /// `; did you mean "x"?`, or nothing.
    static func clause(_ suggestion: String?) -> String {
        suggestion.map { "; did you mean \"\($0)\"?" } ?? ""
    }

    /// Insertions, deletions, substitutions and swaps of neighbours from one name to the other
    /// (optimal string alignment; Damerau 1964).
    static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for i in left.indices {
            var current = [i + 1]
            for j in right.indices {
                var cost = min(
                    previous[j + 1] + 1, current[j] + 1, previous[j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    cost = min(cost, beforePrevious[j - 1] + 1)
                }
                current.append(cost)
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[right.count]
    }

    /// Lower case and underscores, so that `Block-Size` is no distance from `block_size`.
    private static func normalized(_ name: String) -> [UInt8] {
        name.lowercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard text.count >= part.count else { return false }
        return (0...(text.count - part.count)).contains { text[$0...].starts(with: part) }
    }
}

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
