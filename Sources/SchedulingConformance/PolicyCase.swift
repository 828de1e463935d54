/// A small world and a load for it, all of it decided by a seed.
public struct PolicyCase: Sendable, CustomStringConvertible {
    /// What is tried.
    enum Load: Sendable {
        /// Requests of every kind come and go at random; some are aborted, some steps fail.
        case random
        /// All come at once into a pool that holds few of them: everybody is preempted.
        case thrash
        /// One request that the policy has every reason to pass over, and a stream of others without end.
        case starvation
        /// A great many wait, most of which are aborted.
        case crowd
    }

    /// What is tried, with the seed.
    public let name: String
    let load: Load
    let seed: UInt64

    init(_ load: Load, seed: UInt64) {
        name = "\(load), seed \(seed)"
        self.load = load
        self.seed = seed
    }

    /// The name.
    public var description: String { name }
}
