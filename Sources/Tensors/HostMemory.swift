/// A span of host memory that lives as long as somebody holds it: allocated, or mapped from a file.
///
/// Immutable through this type, so it can be shared between threads; whoever allocates fills it before sharing.
public final class HostMemory: @unchecked Sendable {
    // Sendable: `bytes` is set once, and nothing writes through this type after `init` returns.

    /// The bytes, valid while this object lives.
    public let bytes: UnsafeRawBufferPointer
    private let release: @Sendable (UnsafeRawBufferPointer) -> Void
    private let unload: @Sendable (UnsafeRawBufferPointer) -> Void

    /// Takes over `bytes`; `release` is called once, when nobody holds them any more. `unload` gives up the memory behind
    /// a part of them that can be had again, such as a file's; what is read later must be the same.
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

    /// Says that the bytes `range` will not be read again soon: a mapped file's pages leave this process.
    public func unload(_ range: Range<Int>) {
        unload(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }

    deinit { release(bytes) }
}
