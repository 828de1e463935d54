import SharedValues
import Synchronization

/// The one pool of a device's memory: allocates buffers within the device's limits, hands out ranges of them, and counts
/// their bytes.
///
/// Small ranges share chunks. A large range has a buffer of its own. So does every range of keys and values, because the
/// size of the cache is computed to fill the budget exactly. The budget counts whole buffers: that is what the device loses.
///
/// Ranges live as long as the pool. After `seal()` nothing should be allocated; `allocationsAfterSeal` counts violations.
public final class MemoryPool: Sendable {
    /// Every range starts on a multiple of this many bytes.
    public static let alignment = 256

    private struct State {
        var chunk: (any DeviceBuffer)?
        var chunkUsed = 0
        var chunksByteCount = 0
        var takenByteCount = 0
        var used: [BufferUsage: Int] = [:]
        var isSealed = false
        var allocationsAfterSeal = 0
    }

    /// The bytes that all buffers together may have.
    public let budgetByteCount: Int
    private let device: any Backend
    private let chunkByteCount: Int
    private let onAllocation: @Sendable (BufferUsage, Int) -> Void
    private let state = Mutex(State())

    /// A pool over `device` that allocates at most `budgetByteCount` bytes, in chunks of at most `chunkByteCount`. Ranges of
    /// up to a sixteenth of a chunk count as small. `onAllocation` is called with a usage and the bytes allocated for it so
    /// far. A backend fills a range before it allocates the next, so these calls show the progress of an upload.
    public init(
        device: any Backend, budgetByteCount: Int, chunkByteCount: Int = 16 << 20,
        onAllocation: @escaping @Sendable (BufferUsage, Int) -> Void = { _, _ in }
    ) {
        self.onAllocation = onAllocation
        self.device = device
        self.budgetByteCount = budgetByteCount
        self.chunkByteCount = min(chunkByteCount, device.device.maxAllocationByteCount)
    }

    /// Allocates `byteCount` bytes. Throws `rangeTooLarge` past the device's limits and `outOfMemory` past the budget.
    public func allocate(byteCount: Int, for use: BufferUsage) throws(BackendError) -> MemoryRange {
        // Kernels never read swapped blocks, so only the limit of one allocation holds for them.
        let addressable = use == .swap ? .max : device.device.maxRangeByteCount
        let limit = min(addressable, device.device.maxAllocationByteCount)
        guard byteCount <= limit else {
            throw .rangeTooLarge(use: use.rawValue, byteCount: byteCount, limit: limit)
        }
        let rounded = byteCount.roundedUp(to: Self.alignment)
        let (range, used) = try state.withLock { state throws(BackendError) in
            let range =
                if rounded * 16 > chunkByteCount || use == .cache || use == .swap {
                    MemoryRange(buffer: try makeBuffer(rounded, use, &state), byteOffset: 0, byteCount: byteCount)
                } else {
                    try chunkRange(byteCount, rounded, use, &state)
                }
            state.used[use, default: 0] += rounded
            if state.isSealed { state.allocationsAfterSeal += 1 }
            return (range, state.used[use] ?? 0)
        }
        onAllocation(use, used)
        return range
    }

    private func makeBuffer(
        _ byteCount: Int, _ use: BufferUsage, _ state: inout State
    ) throws(BackendError) -> any DeviceBuffer {
        let available = budgetByteCount - state.takenByteCount
        guard byteCount <= available else {
            throw .outOfMemory(use: use.rawValue, byteCount: byteCount, available: available)
        }
        let buffer = try device.makeBuffer(byteCount: byteCount, usage: use)
        state.takenByteCount += byteCount
        return buffer
    }

    /// A part of the open chunk, or of a new one. The rest of the old chunk stays unused then.
    private func chunkRange(
        _ byteCount: Int, _ rounded: Int, _ use: BufferUsage, _ state: inout State
    ) throws(BackendError) -> MemoryRange {
        if let chunk = state.chunk, state.chunkUsed + rounded <= chunk.byteCount {
            defer { state.chunkUsed += rounded }
            return MemoryRange(buffer: chunk, byteOffset: state.chunkUsed, byteCount: byteCount)
        }
        // A chunk is at most as large as all chunks before it together, and at most an eighth of the remaining budget, so
        // that little of the budget is lost to the unused rest of chunks.
        let preferred = min(max(state.chunksByteCount, chunkByteCount / 16), chunkByteCount)
        let size = max(rounded, min(preferred, (budgetByteCount - state.takenByteCount) / 8))
        let chunk = try makeBuffer(size, use, &state)
        state.chunksByteCount += size
        state.chunk = chunk
        state.chunkUsed = rounded
        return MemoryRange(buffer: chunk, byteOffset: 0, byteCount: byteCount)
    }

    /// Bytes of the ranges allocated for `use`.
    public func usedByteCount(for use: BufferUsage) -> Int { state.withLock { $0.used[use] ?? 0 } }

    /// Bytes that can still be allocated.
    public var availableByteCount: Int { budgetByteCount - state.withLock { $0.takenByteCount } }

    /// Ends start-up: later allocations are counted as faults.
    public func seal() { state.withLock { $0.isSealed = true } }

    /// Ranges allocated after `seal()`; zero in a healthy engine.
    public var allocationsAfterSeal: Int { state.withLock { $0.allocationsAfterSeal } }
}

/// A part of a device buffer.
public struct MemoryRange: Sendable {
    /// The buffer that it is a part of. The range keeps it alive.
    public let buffer: any DeviceBuffer
    public let byteOffset: Int
    public let byteCount: Int

    /// `byteCount` bytes of `buffer` from `byteOffset` on. Precondition: they are inside of the buffer.
    public init(buffer: any DeviceBuffer, byteOffset: Int, byteCount: Int) {
        precondition(byteOffset >= 0 && byteOffset + byteCount <= buffer.byteCount, "a range outside its buffer")
        self.buffer = buffer
        self.byteOffset = byteOffset
        self.byteCount = byteCount
    }

    /// Its first byte where the host can address it.
    public var hostPointer: UnsafeMutableRawPointer? { buffer.hostPointer.map { $0 + byteOffset } }
}
