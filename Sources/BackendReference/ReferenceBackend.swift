public import Backends

/// The oracle: every operation in plain Swift, one row after another, sums in double precision in index order.
///
/// A row's result never depends on the other rows of the batch, because nothing here looks at more than one row.
public final class ReferenceBackend: Backend {
    /// The host's processor and memory.
    public let device: DeviceInfo

    /// A backend on the host.
    public init() {
        device = DeviceInfo(
            name: HostMachine.processorName(), detail: "reference", freeByteCount: HostMachine.freeByteCount())
    }

    /// Takes host memory.
    public func makeBuffer(byteCount: Int, usage: BufferUsage) throws(BackendError) -> any DeviceBuffer {
        try HostBuffer(byteCount: byteCount, usage: usage)
    }

    /// Widens dense weights to 32 bits, keeps packed ones packed, and gives every value memory of its own.
    public func prepare(
        _ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool
    ) throws(BackendError) -> sending any PreparedPlan {
        try ReferencePlan(plan, limits: limits, pool: pool)
    }
}
