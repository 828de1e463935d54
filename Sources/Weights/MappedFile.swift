import CLibrary
import SharedValues
internal import Tensors

/// Maps the whole of `file` read-only into memory. Throws `unreadable` with the system's reason, and `malformed` where a
/// download left something else in its place.
///
/// The mapping costs no memory until it is touched, and the kernel may drop its pages again. A file that another
/// process truncates while it is mapped kills us with SIGBUS: model files are expected not to change while in use.
func mapFile(_ file: String) throws(WeightLoadingError) -> HostMemory {
    // Without O_NONBLOCK a named pipe would hold us for ever.
    let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(file: file, reason: systemReason()) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(file: file, reason: systemReason()) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(file: file, reason: "not a regular file") }
    let byteCount = Int(status.st_size)
    guard byteCount > 0 else {
        return HostMemory(taking: UnsafeRawBufferPointer(start: nil, count: 0), release: { _ in })
    }
    guard let base = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
        throw .unreadable(file: file, reason: systemReason())
    }
    let memory = HostMemory(taking: UnsafeRawBufferPointer(start: base, count: byteCount), unload: dropPages) { bytes in
        _ = munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }
    if let reason = withExtendedLifetime(memory, { ForeignContent.description(memory.bytes) }) {
        throw .malformed(file: file, reason: reason)
    }
    // Only a hint; the loader reads every page once, soon.
    _ = madvise(base, byteCount, MADV_WILLNEED)
    return memory
}

/// Takes the whole pages of a read-only mapping out of this process; the file still has them.
private func dropPages(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let address = Int(bitPattern: start)
    let (first, last) = (address.roundedUp(to: page), (address + bytes.count) / page * page)
    guard first < last else { return }
    _ = madvise(UnsafeMutableRawPointer(bitPattern: first), last - first, MADV_DONTNEED)
}

/// What lies at a path.
enum PathKind: Sendable {
    case file, directory, nothing

    /// Looks at `path`, following symbolic links.
    init(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            self = .nothing
            return
        }
        self = status.st_mode & S_IFMT == S_IFDIR ? .directory : .file
    }
}

private func systemReason() -> String { String(cString: strerror(errno)) }
