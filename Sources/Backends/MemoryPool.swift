import SharedValues
import Synchronization

/// The one pool of a device's memory: takes buffers within the device's limits, hands out ranges, keeps the account.
///
/// Small ranges share chunks. A large one has a buffer of its own, and so has every range of keys and values, whose size is
/// worked out to fill the budget. The budget counts buffers, as that is what the device loses.
///
/// Ranges live as long as the pool. After `seal()` nothing should be taken; `allocationsAfterSeal` counts what was.
public final class MemoryPool: Sendable {
    /// What a range is for.
    public enum Use: String, Sendable, CaseIterable {
        case weights, scratch, cache
        /// Memory of the host, out of a pool of its own.
        case swap
    }

    /// Every range starts on a multiple of this many bytes.
    public static let alignment = 256

    private struct State {
        var chunk: (any DeviceBuffer)?
        var chunkUsed = 0
        var chunksByteCount = 0
        var takenByteCount = 0
        var used: [Use: Int] = [:]
        var isSealed = false
        var allocationsAfterSeal = 0
    }

    /// Bytes that may be taken in all.
    public let budgetByteCount: Int
    private let device: any Backend
    private let chunkByteCount: Int
    private let observe: @Sendable (Use, Int) -> Void
    private let state = Mutex(State())

    /// A pool over `device` that takes at most `budgetByteCount` bytes, in chunks of at most `chunkByteCount`, of which a
    /// small range is a sixteenth at most. `observe` hears of the bytes taken for a use so far: a backend fills a range before
    /// it takes the next, so that this is how far an upload has come.
    public init(
        device: any Backend, budgetByteCount: Int, chunkByteCount: Int = 16 << 20,
        observe: @escaping @Sendable (Use, Int) -> Void = { _, _ in }
    ) {
        self.observe = observe
        self.device = device
        self.budgetByteCount = budgetByteCount
        self.chunkByteCount = min(chunkByteCount, device.device.maxAllocationByteCount)
    }

    /// Takes `byteCount` bytes. Throws `rangeTooLarge` past the device's limits and `outOfMemory` past the budget.
    public func allocate(byteCount: Int, for use: Use) throws(BackendError) -> MemoryRange {
        // No kernel looks at what is swapped out.
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
        observe(use, used)
        return range
    }

    private func makeBuffer(
        _ byteCount: Int, _ use: Use, _ state: inout State
    ) throws(BackendError) -> any DeviceBuffer {
        let available = budgetByteCount - state.takenByteCount
        guard byteCount <= available else {
            throw .outOfMemory(use: use.rawValue, byteCount: byteCount, available: available)
        }
        let buffer = try device.makeBuffer(byteCount: byteCount, usage: BufferUsage(use))
        state.takenByteCount += byteCount
        return buffer
    }

    /// A part of the open chunk, or of a new one; the tail of the old one is given up then.
    private func chunkRange(
        _ byteCount: Int, _ rounded: Int, _ use: Use, _ state: inout State
    ) throws(BackendError) -> MemoryRange {
        if let chunk = state.chunk, state.chunkUsed + rounded <= chunk.byteCount {
            defer { state.chunkUsed += rounded }
            return MemoryRange(buffer: chunk, byteOffset: state.chunkUsed, byteCount: byteCount)
        }
        // No chunk is more than an eighth of what is left, nor, but for the first, than all before it.
        let wanted = min(max(state.chunksByteCount, chunkByteCount / 16), chunkByteCount)
        let size = max(rounded, min(wanted, (budgetByteCount - state.takenByteCount) / 8))
        let chunk = try makeBuffer(size, use, &state)
        state.chunksByteCount += size
        state.chunk = chunk
        state.chunkUsed = rounded
        return MemoryRange(buffer: chunk, byteOffset: 0, byteCount: byteCount)
    }

    /// Bytes of the ranges taken for `use`.
    public func usedByteCount(for use: Use) -> Int { state.withLock { $0.used[use] ?? 0 } }

    /// Bytes that buffers can still take.
    public var availableByteCount: Int { budgetByteCount - state.withLock { $0.takenByteCount } }

    /// Declares start-up over: from now on an allocation is counted as a fault.
    public func seal() { state.withLock { $0.isSealed = true } }

    /// Ranges taken after `seal()`; zero in a healthy engine.
    public var allocationsAfterSeal: Int { state.withLock { $0.allocationsAfterSeal } }
}

/// A part of a device buffer.
public struct MemoryRange: Sendable {
    /// The buffer it lies in, kept alive by the range.
    public let buffer: any DeviceBuffer
    /// Where in the buffer it begins.
    public let byteOffset: Int
    /// How long it is.
    public let byteCount: Int

    /// `byteCount` bytes of `buffer` from `byteOffset` on. Precondition: they lie inside the buffer.
    public init(buffer: any DeviceBuffer, byteOffset: Int, byteCount: Int) {
        precondition(byteOffset >= 0 && byteOffset + byteCount <= buffer.byteCount, "a range outside its buffer")
        self.buffer = buffer
        self.byteOffset = byteOffset
        self.byteCount = byteCount
    }

    /// Its first byte where the host can address it.
    public var hostPointer: UnsafeMutableRawPointer? { buffer.hostPointer.map { $0 + byteOffset } }
}
