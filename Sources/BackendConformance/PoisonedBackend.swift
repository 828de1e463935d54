import Backends

/// A backend whose memory is NaN in every element type at first, so that reads of memory that was never written show.
final class PoisonedBackend: Backend {
    private let inner: any Backend

    init(_ inner: any Backend) { self.inner = inner }

    var device: DeviceInfo { inner.device }

    func makeBuffer(byteCount: Int, usage: BufferUsage) throws(BackendError) -> any DeviceBuffer {
        let buffer = try inner.makeBuffer(byteCount: byteCount, usage: usage)
        let poison = [UInt8](repeating: 0xFF, count: min(max(byteCount, 1), 1 << 20))
        for byteOffset in stride(from: 0, to: byteCount, by: poison.count) {
            try poison.withUnsafeBufferPointer { bytes throws(BackendError) in
                try buffer.write(
                    UnsafeRawBufferPointer(
                        rebasing: UnsafeRawBufferPointer(bytes)[..<min(bytes.count, byteCount - byteOffset)]),
                    at: byteOffset)
            }
        }
        return buffer
    }

    func prepare(
        _ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool
    ) throws(BackendError) -> sending any PreparedPlan {
        try inner.prepare(plan, limits: limits, pool: pool)
    }
}
