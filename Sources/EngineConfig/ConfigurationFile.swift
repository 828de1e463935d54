import CLibrary

/// Reads a small file whole, and never more than the limit of it.
enum ConfigurationFile {
    /// The file's bytes; a file that says it is too large is refused before it is read.
    static func bytes(path: String) throws(ConfigurationError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw refusal(path, systemMessage(errno)) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw refusal(path, systemMessage(errno)) }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw refusal(path, "expected a YAML file, found a directory")
        }
        guard status.st_size <= YAMLLimits.byteCount else { throw tooLarge(path, Int(status.st_size)) }
        // A pipe has no size, and a file may grow: read one byte more than allowed to notice.
        var bytes = [UInt8](repeating: 0, count: YAMLLimits.byteCount + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + count, $0.count - count) }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw refusal(path, systemMessage(errno)) }
            if got == 0 { break }
            count += got
        }
        guard count <= YAMLLimits.byteCount else { throw tooLarge(path, nil) }
        return Array(bytes.prefix(count))
    }

    /// The refusal of a text beyond the limit.
    static func tooLarge(_ path: String, _ byteCount: Int?) -> ConfigurationError {
        let found = byteCount.map { "\($0) bytes" } ?? "more"
        return refusal(path, "expected at most \(YAMLLimits.byteCount) bytes of YAML, found \(found)")
    }

    private static func refusal(_ path: String, _ message: String) -> ConfigurationError {
        ConfigurationError([ConfigurationIssue(file: path, message: message)])
    }

    private static func systemMessage(_ code: CInt) -> String {
        switch code {
        case ENOENT: "no such file"
        case EACCES: "no permission to read the file"
        default: "cannot be read: \(String(cString: strerror(code)))"
        }
    }
}
