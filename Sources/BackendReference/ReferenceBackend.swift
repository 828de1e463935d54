public import Backends

/// The oracle that other backends are compared with: every operation in plain Swift, one row after another, with sums in
/// double precision in index order.
///
/// A row's result never depends on the other rows of the batch, because every operation reads one row only.
public final class ReferenceBackend: Backend {
    public let device: DeviceInfo

    public init() {
        device = DeviceInfo(
            name: HostMachine.processorName(), detail: "reference", freeByteCount: HostMachine.freeByteCount())
    }

    /// Allocates host memory.
    public func makeBuffer(byteCount: Int, usage: BufferUsage) throws(BackendError) -> any DeviceBuffer {
        try HostBuffer(byteCount: byteCount, usage: usage)
    }

    /// Widens dense weights to 32 bits, keeps quantized weights quantized, and gives every value memory of its own.
    public func prepare(
        _ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool
    ) throws(BackendError) -> sending any PreparedPlan {
        try ReferencePlan(plan, limits: limits, pool: pool)
    }
}
