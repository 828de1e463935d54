import Tensors

/// The memory for the weights of experts on a device with memory of its own.
///
/// Experts beyond `byteCount` stay in the host's memory, where kernels read them over the bus like any other buffer. So a
/// result does not depend, bit for bit, on where an expert lies. A card of 16 GB runs a model of 60 GB:
///
/// ```swift
/// let host = MemoryPool(device: backend, budgetByteCount: 64 << 30)
/// let experts = ExpertMemory(byteCount: 12 << 30, hostPool: host)
/// let prepared = try backend.prepare(plan, limits: limits, pool: pool, experts: experts)
/// ```
public struct ExpertMemory: Sendable {
    /// Bytes of the device's memory that the weights of experts may take, in whole ranges of the pool.
    public let byteCount: Int
    /// The host's memory for the others: allocated for `BufferUsage.hostWeights`.
    public let hostPool: MemoryPool

    public init(byteCount: Int, hostPool: MemoryPool) {
        self.byteCount = byteCount
        self.hostPool = hostPool
    }
}

extension ForwardPlan {
    /// Bytes of the matrices that rows choose by a route, as the checkpoint stores them.
    public var expertByteCount: Int {
        var sets: Set<MatrixSetID> = []
        for case .selectedLinear(_, let set, _, .routes, _) in operations { sets.insert(set) }
        return sets.reduce(0) { $0 + self[$1].matrices.reduce(0) { $0 + $1.byteCount } }
    }
}
