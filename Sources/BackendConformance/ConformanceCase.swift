import Backends
import Tensors

/// A small plan, what to feed it, and how closely the outcome must be met.
public struct ConformanceCase: Sendable, CustomStringConvertible {
    /// What is tried, with every choice in it.
    public let name: String
    /// The largest acceptable normalised mean squared error against the reference.
    public let tolerance: Double
    let plan: ForwardPlan
    let sequences: [Sequence]
    let cacheType: CacheType
    let blockSize: Int

    /// Tokens of one sequence, all of which are fed.
    struct Sequence: Sendable {
        let tokens: [Int32]
    }

    /// The name.
    public var description: String { name }
}
