import BackendReference
import Backends

/// The reference on a machine that has as much memory free as the test says.
final class SizedBackend: Backend {
    private let reference = ReferenceBackend()
    let device: DeviceInfo

    init(freeByteCount: Int, isHostMemory: Bool) {
        device = DeviceInfo(
            name: "sized", detail: "reference", freeByteCount: freeByteCount, isHostMemory: isHostMemory)
    }

    func makeBuffer(byteCount: Int, usage: BufferUsage) throws(BackendError) -> any DeviceBuffer {
        try reference.makeBuffer(byteCount: byteCount, usage: usage)
    }

    func prepare(
        _ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool
    ) throws(BackendError) -> sending any PreparedPlan {
        try reference.prepare(plan, limits: limits, pool: pool)
    }
}
