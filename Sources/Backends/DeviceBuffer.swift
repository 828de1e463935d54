import CLibrary

/// Memory of a device. Freed when the last reference goes.
public protocol DeviceBuffer: AnyObject, Sendable {
    var byteCount: Int { get }
    /// Its first byte, where the host can address it.
    var hostPointer: UnsafeMutableRawPointer? { get }
    /// Copies `bytes` into it, from `byteOffset` on, and returns when they are there. Not while a plan runs.
    func write(_ bytes: UnsafeRawBufferPointer, at byteOffset: Int) throws(BackendError)
    /// Fills `bytes` with its content from `byteOffset` on. Not while a plan runs.
    func read(into bytes: UnsafeMutableRawBufferPointer, at byteOffset: Int) throws(BackendError)
}

extension DeviceBuffer {
    /// Copies through `hostPointer`. A device whose memory the host cannot address needs an implementation of its own.
    public func write(_ bytes: UnsafeRawBufferPointer, at byteOffset: Int) throws(BackendError) {
        guard let hostPointer else { preconditionFailure("memory that the host cannot address needs its own write") }
        UnsafeMutableRawBufferPointer(start: hostPointer + byteOffset, count: bytes.count).copyMemory(from: bytes)
    }

    /// Copies through `hostPointer`. A device whose memory the host cannot address needs an implementation of its own.
    public func read(into bytes: UnsafeMutableRawBufferPointer, at byteOffset: Int) throws(BackendError) {
        guard let hostPointer else { preconditionFailure("memory that the host cannot address needs its own read") }
        bytes.copyMemory(from: UnsafeRawBufferPointer(start: hostPointer + byteOffset, count: bytes.count))
    }
}

/// What memory is for. A device may choose a memory type by it, and the pool counts bytes by it.
public enum BufferUsage: String, Sendable, CaseIterable {
    case weights, scratch, cache
    /// Blocks that are swapped out: in the host's memory, where the device's copies can reach it. It has a pool of its own.
    case swap
    /// Weights that stay in the host's memory, where the device's kernels read them. They have a pool of their own.
    case hostWeights
}

/// Memory of the host as a device's buffer, for backends that compute on the host.
public final class HostBuffer: DeviceBuffer, @unchecked Sendable {
    // Sendable: `start` is set once. Those who share ranges of the memory behind it guard their accesses.

    public let byteCount: Int
    private let start: UnsafeMutableRawPointer

    public var hostPointer: UnsafeMutableRawPointer? { start }

    /// Allocates `byteCount` bytes, aligned for huge pages where it is large. Throws `outOfMemory` when the host refuses.
    public init(byteCount: Int, usage: BufferUsage) throws(BackendError) {
        let hugePage = 2 << 20
        var pointer: UnsafeMutableRawPointer?
        let alignment = byteCount >= hugePage ? hugePage : MemoryPool.alignment
        guard byteCount >= 0, posix_memalign(&pointer, alignment, max(byteCount, 1)) == 0, let pointer else {
            let available = HostMachine.freeByteCount()
            throw .outOfMemory(use: usage.rawValue, byteCount: byteCount, available: available)
        }
        #if os(Linux)
            // Weights are streamed: with pages of 4 KiB the TLB would miss every microsecond. A refusal does no harm.
            if byteCount >= hugePage { _ = madvise(pointer, byteCount, MADV_HUGEPAGE) }
        #endif
        self.byteCount = byteCount
        start = pointer
    }

    deinit { free(start) }
}
