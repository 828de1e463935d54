/// Name → factory: a value that is built once, passed to whoever chooses by name, and never global.
public struct Registry<Factory: Sendable>: Sendable {
    /// What is registered here, singular, for errors: "backend".
    public let kind: String
    private var factories: [String: Factory] = [:]

    /// An empty registry of `kind`.
    public init(kind: String) {
        self.kind = kind
    }

    /// The registered names, sorted.
    public var names: [String] { factories.keys.sorted() }

    /// Adds `factory` under `name`. Throws `duplicateName` when the name is taken.
    public mutating func register(_ name: String, _ factory: Factory) throws(RegistryError) {
        guard factories[name] == nil else { throw .duplicateName(kind: kind, name: name) }
        factories[name] = factory
    }

    /// The factory of `name`. Throws `unknownName`, which lists what is known.
    public func factory(named name: String) throws(RegistryError) -> Factory {
        guard let factory = factories[name] else {
            throw .unknownName(kind: kind, name: name, known: names, closest: closestName(to: name, among: names))
        }
        return factory
    }
}
