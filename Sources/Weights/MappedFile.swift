import CLibrary
import SharedValues
import Tensors

/// Maps the whole of `file` read-only into memory. Throws `unreadable` with the system's reason, and `malformed`
/// for the content of a failed download.
///
/// Pages take memory only after they are read, and the kernel may drop them again. If another process truncates the
/// file while it is mapped, this process is killed by SIGBUS: model files must not change while they are in use.
func mapFile(_ file: String) throws(WeightLoadingError) -> HostMemory {
    // Without O_NONBLOCK, opening a named pipe would block.
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
    // A hint: the loader will soon read every page once.
    _ = madvise(base, byteCount, MADV_WILLNEED)
    return memory
}

/// Drops the whole pages of a read-only mapping from memory; they are read from the file again if needed.
private func dropPages(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let address = Int(bitPattern: start)
    let (first, last) = (address.roundedUp(to: page), (address + bytes.count) / page * page)
    guard first < last else { return }
    _ = madvise(UnsafeMutableRawPointer(bitPattern: first), last - first, MADV_DONTNEED)
}

/// What exists at a path.
public enum PathKind: Sendable {
    case file, directory, nothing

    /// Looks at `path`, following symbolic links.
    public init(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            self = .nothing
            return
        }
        self = status.st_mode & S_IFMT == S_IFDIR ? .directory : .file
    }
}

private func systemReason() -> String { String(cString: strerror(errno)) }

/// Recognizes files that a failed download left in place of a model's file.
enum ForeignContent {
    /// A description of a file that begins with `bytes`; nil: it may be a model's file.
    static func description(_ bytes: UnsafeRawBufferPointer) -> String? {
        let start = bytes.prefix(512)
        if start.starts(with: "version https://git-lfs".utf8) || start.starts(with: "version https://hawser".utf8) {
            return "it is a Git LFS pointer, not the file itself; fetch that with `git lfs pull`"
        }
        let text = start.drop { [0xEF, 0xBB, 0xBF, 0x20, 0x09, 0x0A, 0x0D].contains($0) }
        let lowercased = text.prefix(16).map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        if ["<!doctype html", "<html", "<head", "<?xml"].contains(where: { lowercased.starts(with: $0.utf8) }) {
            return "it is a web page; the download went wrong, so download it again"
        }
        // The hub's error messages.
        for answer in ["Entry not found", "Invalid username or password", "Repository not found", "Access to model "]
        where text.starts(with: answer.utf8) {
            return
                "it is a server's answer (\"\(answer.trimmingSpace)\"); the download went wrong, so download it again"
        }
        return archive(start)
    }

    private static func archive(_ start: UnsafeRawBufferPointer.SubSequence) -> String? {
        let kinds: [(signature: [UInt8], kind: String)] = [
            ([0x50, 0x4B, 0x03, 0x04], "a zip archive, as PyTorch's pickled checkpoints are"),
            ([0x50, 0x4B, 0x05, 0x06], "an empty zip archive"), ([0x1F, 0x8B], "compressed by gzip"),
            ([0x28, 0xB5, 0x2F, 0xFD], "compressed by zstd"), ([0x42, 0x5A, 0x68], "compressed by bzip2"),
            ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "compressed by xz"),
            ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7z archive"),
            ([0x80, 0x02, 0x8A, 0x0A], "a pickle, as PyTorch's old checkpoints are"),
            ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"),
        ]
        return kinds.first { start.starts(with: $0.signature) }.map {
            "it is \($0.kind); quire reads safetensors and GGUF"
        }
    }
}

extension WeightLoadingError {
    /// Throws `malformed` if `path` is the result of a failed download, such as a Git LFS pointer. Does not throw for
    /// an empty file, which its reader refuses.
    public static func checkContent(ofFile path: String) throws(WeightLoadingError) {
        guard PathKind(of: path) == .file else { return }
        _ = try mapFile(path)
    }
}

extension String {
    /// The text without a space at its end.
    fileprivate var trimmingSpace: Substring { hasSuffix(" ") ? dropLast() : self[...] }
}

extension String {
    /// The path of `name` in this directory.
    func appendingPath(_ name: String) -> String {
        isEmpty || hasSuffix("/") ? self + name : self + "/" + name
    }

    /// The directory of this path; "." if the path has no slash.
    var directoryPath: String {
        guard let slash = utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == startIndex ? "/" : String(self[..<slash])
    }

    /// What follows this path's last slash.
    var lastPathPart: String { split(separator: "/").last.map { String($0) } ?? self }
}
