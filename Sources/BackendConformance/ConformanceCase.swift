import Backends
import Tensors

/// A small plan, the tokens that it computes, and how closely the result must agree with the reference.
public struct ConformanceCase: Sendable, CustomStringConvertible {
    /// The operation, with every choice of shape and type.
    public let name: String
    /// The largest acceptable normalised mean squared error against the reference.
    public let tolerance: Double
    let plan: ForwardPlan
    let sequences: [Sequence]
    let cacheType: CacheType
    let blockSize: Int
    /// The matrices in the adapter slots that have some.
    var adapters: [Int: [MatrixSetID: HostTensor]] = [:]
    /// The adapter slot of each sequence; empty: none has one.
    var adapterSlots: [Int?] = []

    struct Sequence: Sendable {
        let tokens: [Int32]
    }

    public var description: String { name }
}
