import CLibrary

/// A file that is written to; and what else the cache asks of the file system.
struct DiskFile: ~Copyable {
    let path: String
    private let descriptor: CInt

    /// Opens `path` for reading and writing, and creates it where it is not there.
    init(_ path: String) throws(HubError) {
        // No symbolic link: the file's name is known in advance, and its folder may be shared.
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
        guard descriptor >= 0 else { throw Self.error(path) }
        self.path = path
    }

    deinit { close(descriptor) }

    /// Its length.
    func byteCount() throws(HubError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.error(path) }
        return Int(status.st_size)
    }

    /// Cuts it to `byteCount`; what is written next follows.
    func truncate(to byteCount: Int) throws(HubError) {
        guard ftruncate(descriptor, off_t(byteCount)) == 0, lseek(descriptor, off_t(byteCount), SEEK_SET) >= 0 else {
            throw Self.error(path)
        }
    }

    /// Writes all of `bytes` at the current position. Throws `disk` where the disk is full.
    func write(_ bytes: UnsafeRawBufferPointer) throws(HubError) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let count = systemWrite(descriptor, start, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.error(path) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Reads the first `byteCount` bytes in pieces; the position is behind them then.
    func read(_ byteCount: Int, _ receive: (UnsafeRawBufferPointer) -> Void) throws(HubError) {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw Self.error(path) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        var left = byteCount
        while left > 0, let start = buffer.baseAddress {
            let count = systemRead(descriptor, start, min(left, buffer.count))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.error(path) }
            receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            left -= count
        }
    }

    /// Waits until the disk has everything, so that a crash leaves no file with holes under its final name.
    func synchronize() throws(HubError) {
        guard fsync(descriptor) == 0 else { throw Self.error(path) }
    }
}

extension DiskFile {
    /// The error of the last call on `path`.
    static func error(_ path: String) -> HubError {
        let code = errno
        let isFull = code == ENOSPC || code == EDQUOT
        let advice = isFull ? "; with more room, the same command goes on where it ended" : ""
        return .disk(path: path, reason: String(cString: strerror(code)) + advice)
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The length of a file, following links; nil: there is none.
    static func byteCount(of path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    /// Creates a folder and those above it.
    static func createFolder(_ path: String) throws(HubError) {
        var end = path.startIndex
        while end < path.endIndex {
            end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
            let folder = String(path[..<end])
            // Folders above may be there and not writable.
            guard mkdir(folder, 0o777) == 0 || errno == EEXIST || exists(folder) else { throw error(folder) }
        }
    }

    /// Where a symbolic link leads to; nil: `path` is none.
    static func linkTarget(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            let count = readlink(path, buffer.baseAddress!, buffer.count)
            guard count > 0 else { return nil }
            return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// The text of a small file; nil where it cannot be read, or is larger.
    static func text(of path: String, maximumByteCount: Int) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: maximumByteCount + 1, alignment: 1) { buffer in
            var count = 0
            while count < buffer.count, let start = buffer.baseAddress {
                let got = systemRead(descriptor, start + count, buffer.count - count)
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { return nil }
                if got == 0 { break }
                count += got
            }
            guard count <= maximumByteCount else { return nil }
            return String(validating: buffer[..<count], as: UTF8.self)
        }
    }

    /// Writes a small file, whole or not at all.
    static func write(_ text: String, to path: String) throws(HubError) {
        let new = "\(path).\(getpid()).new"
        do throws(HubError) {
            let file = try DiskFile(new)
            try file.truncate(to: 0)
            let result = Array(text.utf8).withUnsafeBytes { bytes in
                Result { () throws(HubError) in try file.write(bytes) }
            }
            try result.get()
        } catch {
            unlink(new)
            throw error
        }
        guard rename(new, path) == 0 else { throw error(path) }
    }

    /// Bytes that the user may still write to the disk of `path`; nil where the system does not say it.
    static func freeByteCount(at path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let (count, overflows) = Int(status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize))
        return overflows ? nil : count
    }

    /// The paths of all files below a folder, relative to it, at most four folders deep; links to files count.
    static func files(below folder: String, _ prefix: String = "", depth: Int = 0) -> [String] {
        guard depth < 4, let stream = opendir(prefix.isEmpty ? folder : "\(folder)/\(prefix)") else { return [] }
        defer { closedir(stream) }
        var paths: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name != ".", name != ".." else { continue }
            let path = prefix.isEmpty ? name : "\(prefix)/\(name)"
            if byteCount(of: "\(folder)/\(path)") != nil {
                paths.append(path)
            } else {
                paths += files(below: folder, path, depth: depth + 1)
            }
        }
        return paths.sorted()
    }
}

private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    #if canImport(Darwin)
        Darwin.write(descriptor, bytes, count)
    #elseif canImport(Musl)
        Musl.write(descriptor, bytes, count)
    #else
        Glibc.write(descriptor, bytes, count)
    #endif
}

private func systemRead(_ descriptor: CInt, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    #if canImport(Darwin)
        Darwin.read(descriptor, bytes, count)
    #elseif canImport(Musl)
        Musl.read(descriptor, bytes, count)
    #else
        Glibc.read(descriptor, bytes, count)
    #endif
}
