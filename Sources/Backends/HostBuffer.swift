import CLibrary

/// Memory of the host as a device's buffer, for backends that compute on the host.
public final class HostBuffer: DeviceBuffer, @unchecked Sendable {
    // Sendable: `start` is set once; what lies behind it is guarded by whoever shares the ranges.

    /// How long it is.
    public let byteCount: Int
    private let start: UnsafeMutableRawPointer

    /// Its first byte.
    public var hostPointer: UnsafeMutableRawPointer? { start }

    /// Takes `byteCount` bytes, aligned for huge pages where it is large. Throws `outOfMemory` when the host refuses.
    public init(byteCount: Int, usage: BufferUsage) throws(BackendError) {
        let hugePage = 2 << 20
        var pointer: UnsafeMutableRawPointer?
        let alignment = byteCount >= hugePage ? hugePage : MemoryPool.alignment
        guard byteCount >= 0, posix_memalign(&pointer, alignment, max(byteCount, 1)) == 0, let pointer else {
            let available = HostMachine.freeByteCount()
            throw .outOfMemory(use: "\(usage)", byteCount: byteCount, available: available)
        }
        #if os(Linux)
            // Weights are streamed: a 4 KiB page every other microsecond would be a TLB miss each. A refusal does no harm.
            if byteCount >= hugePage { _ = madvise(pointer, byteCount, MADV_HUGEPAGE) }
        #endif
        self.byteCount = byteCount
        start = pointer
    }

    deinit { free(start) }
}
