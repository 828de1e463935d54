import Backends

/// A backend whose memory starts as NaN in every element type, so that what was never written shows.
final class PoisonedBackend: Backend {
    private let inner: any Backend

    init(_ inner: any Backend) { self.inner = inner }

    var device: DeviceInfo { inner.device }

    func makeBuffer(byteCount: Int, usage: BufferUsage) throws(BackendError) -> any DeviceBuffer {
        let buffer = try inner.makeBuffer(byteCount: byteCount, usage: usage)
        buffer.hostPointer?.initializeMemory(as: UInt8.self, repeating: 0xFF, count: byteCount)
        return buffer
    }

    func prepare(
        _ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool
    ) throws(BackendError) -> any PreparedPlan {
        try inner.prepare(plan, limits: limits, pool: pool)
    }
}
