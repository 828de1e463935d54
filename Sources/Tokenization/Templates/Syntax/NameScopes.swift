/// Where a named value is: so many scopes outward, at a place there.
struct NamePlace: Sendable {
    let hops: Int
    let slot: Int
}

/// What a scope holds when it is entered.
struct ScopeLayout: Sendable {
    enum Initial: Sendable {
        /// Whoever enters the scope sets it.
        case parameter
        case undefined
        /// The value that the template was given under this name.
        case given(Text)
        /// The value of an enclosing scope; setting it here leaves that one as it is.
        case outer(NamePlace)
    }
    var slots: [Initial] = []
}

/// The names of a scope while they are looked for.
///
/// Jinja decides before a template runs which scope each name belongs to, and chat templates have come to rely on it:
/// what is set inside a loop is gone after it, what is set inside an `if` is not.
final class NameScope {
    enum Load {
        case parameter, undefined, resolve
        case outer(NameScope)
    }

    /// What is known about each name; branches of an `if` work on copies.
    struct Symbols {
        var loads: [String: Load] = [:]
        var stores: Set<String> = []
    }

    let parent: NameScope?
    var symbols = Symbols()
    private(set) var slots: [String: Int] = [:]

    init(parent: NameScope?) { self.parent = parent }

    private func define(_ name: String, _ load: Load) {
        symbols.loads[name] = load
        if slots[name] == nil { slots[name] = slots.count }
    }

    /// The innermost scope that knows `name`.
    func owner(of name: String) -> NameScope? {
        var scope: NameScope? = self
        while let candidate = scope, candidate.symbols.loads[name] == nil { scope = candidate.parent }
        return scope
    }

    func declare(_ name: String) {
        symbols.stores.insert(name)
        define(name, .parameter)
    }

    func load(_ name: String) {
        if owner(of: name) == nil { define(name, .resolve) }
    }

    func store(_ name: String) {
        symbols.stores.insert(name)
        guard symbols.loads[name] == nil else { return }
        define(name, parent?.owner(of: name).map { .outer($0) } ?? .undefined)
    }

    /// Joins what branches have found: a name that only some of them set keeps its outer value in the others.
    func join(_ branches: [Symbols]) {
        let stores = branches.reduce(into: Set<String>()) { $0.formUnion($1.stores) }.subtracting(symbols.stores)
        for branch in branches {
            symbols.loads.merge(branch.loads) { $1 }
            symbols.stores.formUnion(branch.stores)
        }
        for name in stores {
            symbols.loads[name] = parent?.owner(of: name).map { .outer($0) } ?? .resolve
        }
    }

    /// Where `name` is, seen from here.
    func place(of name: String) -> NamePlace? {
        var hops = 0
        var scope: NameScope? = self
        while let candidate = scope {
            if candidate.symbols.loads[name] != nil, let slot = candidate.slots[name] {
                return NamePlace(hops: hops, slot: slot)
            }
            hops += 1
            scope = candidate.parent
        }
        return nil
    }

    /// What the scope holds when it is entered.
    var layout: ScopeLayout {
        var layout = ScopeLayout()
        layout.slots = Array(repeating: .undefined, count: slots.count)
        for (name, slot) in slots {
            switch symbols.loads[name] {
            case .parameter: layout.slots[slot] = .parameter
            case .resolve: layout.slots[slot] = .given(Text(name))
            case .outer: if let place = parent?.place(of: name) { layout.slots[slot] = .outer(place.outward) }
            case .undefined, nil: break
            }
        }
        return layout
    }
}

extension NamePlace {
    /// The same place, seen from a scope further in.
    var outward: NamePlace { NamePlace(hops: hops + 1, slot: slot) }
}
