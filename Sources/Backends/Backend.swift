public import SharedValues

/// A device that prepares plans and runs them. One of the four plugin seams.
public protocol Backend: AnyObject, Sendable {
    /// What the device is and what it allows.
    var device: DeviceInfo { get }

    /// Takes `byteCount` bytes of device memory, 256-byte aligned. Only `MemoryPool` calls it.
    /// Throws `outOfMemory` when the device refuses.
    func makeBuffer(byteCount: Int, usage: BufferUsage) throws(BackendError) -> any DeviceBuffer

    /// Makes `plan` ready to run: uploads or repacks weights, picks kernels, lays out scratch, all from `pool`.
    /// The plan is the caller's alone. Throws `unsupported` naming the operation, or what `pool` throws.
    func prepare(
        _ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool
    ) throws(BackendError) -> sending any PreparedPlan
}

/// A plan on its device. Not Sendable: it belongs to one thread at a time, which may hand it on as a whole.
public protocol PreparedPlan: AnyObject {
    /// Gives the plan its key/value cache; must be called before `run`. Precondition: same layers as the plan.
    /// Throws where the device has no kernel for such a cache.
    func attach(_ cache: KVCacheMemory) throws(BackendError)

    /// Copies blocks between the attached cache and its swap space, in the rounds of `BlockMove.Direction`: all of one
    /// are made before any of the next, all of them before the next `run` reads or writes the cache. May return before
    /// that; `finishCopies` does not.
    /// Precondition: within a round no two have the same target, and none reads what another one writes.
    func copyBlocks(_ copies: [BlockMove]) throws(BackendError)

    /// Returns when what `copyBlocks` has begun is done.
    func finishCopies() throws(BackendError)

    /// Runs one batch and returns the logits of its sample rows, or what they demand, valid until the next call.
    func run(_ batch: borrowing ForwardBatch) throws(BackendError) -> SampledRows

    /// Brings the logits of a sample row of the last run, of which the device gave candidates, to where `withRow` of
    /// that run's rows finds them.
    func fetchLogits(of row: Int) throws(BackendError)
}

extension PreparedPlan {
    /// Nothing: for backends that give the logits of every row.
    public func fetchLogits(of row: Int) throws(BackendError) {}

    /// Nothing: for devices whose copies are done when `copyBlocks` returns.
    public func finishCopies() throws(BackendError) {}
}

/// Memory of a device. Freed when the last reference goes.
public protocol DeviceBuffer: AnyObject, Sendable {
    /// How long it is.
    var byteCount: Int { get }
    /// Its first byte where the host can address it.
    var hostPointer: UnsafeMutableRawPointer? { get }
    /// Copies `bytes` into it, from `byteOffset` on; returns when they are there. Not while a plan runs.
    func write(_ bytes: UnsafeRawBufferPointer, at byteOffset: Int) throws(BackendError)
    /// Fills `bytes` with its content from `byteOffset` on. Not while a plan runs.
    func read(into bytes: UnsafeMutableRawBufferPointer, at byteOffset: Int) throws(BackendError)
}

extension DeviceBuffer {
    /// Copies through `hostPointer`; a device whose memory the host cannot address has a way of its own.
    public func write(_ bytes: UnsafeRawBufferPointer, at byteOffset: Int) throws(BackendError) {
        guard let hostPointer else { preconditionFailure("memory that the host cannot address needs its own write") }
        UnsafeMutableRawBufferPointer(start: hostPointer + byteOffset, count: bytes.count).copyMemory(from: bytes)
    }

    /// Copies through `hostPointer`; a device whose memory the host cannot address has a way of its own.
    public func read(into bytes: UnsafeMutableRawBufferPointer, at byteOffset: Int) throws(BackendError) {
        guard let hostPointer else { preconditionFailure("memory that the host cannot address needs its own read") }
        bytes.copyMemory(from: UnsafeRawBufferPointer(start: hostPointer + byteOffset, count: bytes.count))
    }
}

/// What a buffer will hold; a device may choose a memory type by it.
public enum BufferUsage: Sendable {
    case weights, scratch, cache
    /// Blocks that are swapped out: on the host, where the device's copies reach it.
    case swap

    /// The usage behind a use of the pool.
    public init(_ use: MemoryPool.Use) {
        switch use {
        case .weights: self = .weights
        case .scratch: self = .scratch
        case .cache: self = .cache
        case .swap: self = .swap
        }
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

    /// The facts as given.
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

/// The largest batch that a prepared plan must take.
public struct BatchLimits: Sendable, Hashable {
    /// Tokens in a batch, over all sequences.
    public let maxTokenCount: Int
    /// Sequences in a batch.
    public let maxSequenceCount: Int
    /// Rows whose logits are wanted.
    public let maxSampleCount: Int
    /// Positions of one sequence.
    public let maxContextLength: Int

    /// The limits as given.
    public init(maxTokenCount: Int, maxSequenceCount: Int, maxSampleCount: Int, maxContextLength: Int) {
        self.maxTokenCount = maxTokenCount
        self.maxSequenceCount = maxSequenceCount
        self.maxSampleCount = maxSampleCount
        self.maxContextLength = maxContextLength
    }
}
