/// A device that prepares plans and runs them. One of the four plugin seams.
///
/// A backend is registered under a name, which `backend.name` of the configuration selects, by one line of
/// `PluginCatalog.builtin()` in `Assembly`:
///
/// ```swift
/// try catalog.backends.register("reference") { _ in ReferenceBackend() }
/// ```
///
/// and must pass `BackendConformance`, which compares every operation with `BackendReference`. A step then is
///
/// ```swift
/// let pool = MemoryPool(device: backend, budgetByteCount: budget)
/// let prepared = try backend.prepare(plan, limits: limits, pool: pool)
/// let layout = CacheLayout(plan, blockSize: 16, type: .f16)
/// try prepared.attach(KVCacheMemory(layout, blockCount: 1000, pool: pool))
/// try prepared.submit(batch)
/// let rows = try prepared.wait()
/// ```
public protocol Backend: AnyObject, Sendable {
    /// The device's name, free memory and limits.
    var device: DeviceInfo { get }

    /// Allocates `byteCount` bytes of device memory, 256-byte aligned. Only `MemoryPool` calls it.
    /// Throws `outOfMemory` when the device refuses.
    func makeBuffer(byteCount: Int, usage: BufferUsage) throws(BackendError) -> any DeviceBuffer

    /// Makes `plan` ready to run: uploads or prepacks weights, picks kernels, lays out scratch memory, all from `pool`.
    /// No other thread uses the result. Throws `unsupported` naming the operation, or what `pool` throws.
    func prepare(
        _ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool
    ) throws(BackendError) -> sending any PreparedPlan

    /// The same with a limit for the weights of experts in the device's memory. Devices whose memory is the host's have no use
    /// for it: by default all weights are in `pool`.
    func prepare(
        _ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool, experts: ExpertMemory?
    ) throws(BackendError) -> sending any PreparedPlan

    /// Reads and copies memory and multiplies numbers for some hundred milliseconds. Throws `unsupported` where the
    /// device has no clock for kernels.
    func measureSpeed() throws(BackendError) -> DeviceSpeed
}

extension Backend {
    /// Puts all weights into `pool`.
    public func prepare(
        _ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool, experts: ExpertMemory?
    ) throws(BackendError) -> sending any PreparedPlan {
        try prepare(plan, limits: limits, pool: pool)
    }
}

/// What a device is and what it allows.
public struct DeviceInfo: Sendable {
    /// The device's own name.
    public let name: String
    /// Backend-specific detail for the log, such as the instruction set chosen.
    public let detail: String
    /// Bytes of memory that the device has free now.
    public let freeByteCount: Int
    /// The largest single allocation.
    public let maxAllocationByteCount: Int
    /// The largest range that a kernel can address.
    public let maxRangeByteCount: Int
    /// Whether its memory is the host's.
    public let isHostMemory: Bool

    public init(
        name: String, detail: String, freeByteCount: Int, maxAllocationByteCount: Int = .max,
        maxRangeByteCount: Int = .max, isHostMemory: Bool = true
    ) {
        self.name = name
        self.detail = detail
        self.freeByteCount = freeByteCount
        self.maxAllocationByteCount = maxAllocationByteCount
        self.maxRangeByteCount = maxRangeByteCount
        self.isHostMemory = isHostMemory
    }
}
