/// Factories by name: a value that is built once and passed on, never global.
public struct Registry<Factory: Sendable>: Sendable {
    /// The kind of thing that is registered, singular, for errors: "backend".
    public let kind: String
    private var factories: [String: Factory] = [:]

    /// An empty registry of `kind`.
    public init(kind: String) {
        self.kind = kind
    }

    /// The registered names, sorted.
    public var names: [String] { factories.keys.sorted() }

    /// Throws `duplicateName` when the name is taken.
    public mutating func register(_ name: String, _ factory: Factory) throws(RegistryError) {
        guard factories[name] == nil else { throw .duplicateName(kind: kind, name: name) }
        factories[name] = factory
    }

    /// Throws `unknownName`, which lists the known names.
    public func factory(named name: String) throws(RegistryError) -> Factory {
        guard let factory = factories[name] else {
            throw .unknownName(kind: kind, name: name, known: names, closest: closestName(to: name, among: names))
        }
        return factory
    }
}

/// Why a registry refused a name.
public enum RegistryError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Something is already registered under this name.
    case duplicateName(kind: String, name: String)
    /// Nothing is registered under this name; `closest` is the similar one of `known`.
    case unknownName(kind: String, name: String, known: [String], closest: String?)

    public var description: String {
        switch self {
        case .duplicateName(let kind, let name):
            return "\(kind) \"\(name)\" is registered twice"
        case .unknownName(let kind, let name, let known, let closest):
            let list = known.isEmpty ? "none are known" : "known: \(known.joined(separator: ", "))"
            let hint = closest.map { "; did you mean \"\($0)\"?" } ?? ""
            return "unknown \(kind) \"\(name)\" (\(list))\(hint)"
        }
    }
}

/// The name in `names` with the fewest edits from `name`, if they are at most a third of its length.
func closestName(to name: String, among names: [String]) -> String? {
    let ranked = names.map { (name: $0, distance: editDistance(name.lowercased(), $0.lowercased())) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, max(name.count, best.name.count) / 3) ? best.name : nil
}

/// Insertions, deletions and substitutions that turn `left` into `right` (Wagner and Fischer, 1974).
func editDistance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var previous = Array(0...right.count)
    for (row, character) in left.enumerated() {
        var current = [row + 1]
        for column in right.indices {
            let substitution = previous[column] + (right[column] == character ? 0 : 1)
            current.append(min(substitution, previous[column + 1] + 1, current[column] + 1))
        }
        previous = current
    }
    return previous[right.count]
}
