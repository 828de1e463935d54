/// A span of host memory, allocated or mapped from a file. It is freed with the last reference.
///
/// It is immutable through this type, so threads can share it. It is filled before it is shared.
public final class HostMemory: @unchecked Sendable {
    // Sendable: `bytes` is set once, and nothing writes through this type after `init` returns.

    /// The bytes, valid while this object lives.
    public let bytes: UnsafeRawBufferPointer
    private let release: @Sendable (UnsafeRawBufferPointer) -> Void
    private let unload: @Sendable (UnsafeRawBufferPointer) -> Void

    /// Takes over `bytes`. `release` is called once, with the last reference. `unload` may drop the pages of a part that
    /// can be read again, such as a file's. Later reads must return the same bytes.
    public init(
        taking bytes: UnsafeRawBufferPointer,
        unload: @escaping @Sendable (UnsafeRawBufferPointer) -> Void = { _ in },
        release: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
    ) {
        self.bytes = bytes
        self.unload = unload
        self.release = release
    }

    /// Allocates `byteCount` bytes, aligned to a cache line, and lets `fill` write them.
    public init<E: Error>(byteCount: Int, fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void) throws(E) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(byteCount, 1), alignment: 64)
        let used = UnsafeMutableRawBufferPointer(rebasing: memory[..<byteCount])
        bytes = UnsafeRawBufferPointer(used)
        release = { UnsafeMutableRawPointer(mutating: $0.baseAddress)?.deallocate() }
        unload = { _ in }
        try fill(used)
    }

    /// Declares that the bytes `range` will not be read again soon. The pages of a mapped file leave this process.
    public func unload(_ range: Range<Int>) {
        unload(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }

    deinit { release(bytes) }
}
