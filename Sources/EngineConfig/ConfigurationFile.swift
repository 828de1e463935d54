import CLibrary
import ModelHub

/// What the argument CONFIG of a command names: a YAML file, or a model in its place.
enum ConfigurationFile {
    /// A YAML file's bytes, at most `YAMLLimits.byteCount` of them.
    case yaml([UInt8])
    /// A .gguf file, or the directory of a checkpoint.
    case model(path: String)

    private static let ggufMagic = Array("GGUF".utf8)
    private static let expected = "expected a YAML configuration, a .gguf file or the directory of a checkpoint"

    /// Reads what is at `path`. A YAML file that says it is too large is refused before it is read.
    static func read(path: String) throws(ConfigurationError) -> ConfigurationFile {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw refusal(path, systemMessage(errno)) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw refusal(path, systemMessage(errno)) }
        if status.st_mode & S_IFMT == S_IFDIR {
            guard access(path + "/config.json", F_OK) == 0 else {
                throw refusal(path, "\(expected), found a directory without config.json")
            }
            return .model(path: path)
        }
        if path.hasSuffix(".gguf") { return .model(path: path) }
        var bytes = [UInt8](repeating: 0, count: ggufMagic.count)
        var count = try fill(&bytes, from: 0, of: descriptor, path)
        if bytes == ggufMagic { return .model(path: path) }
        guard !path.hasSuffix(".safetensors") else {
            throw refusal(path, "\(expected), found a .safetensors file; give the directory that it is in")
        }
        guard status.st_size <= YAMLLimits.byteCount else { throw tooLarge(path, Int(status.st_size)) }
        // A pipe has no size, and a file may grow: one byte more than allowed shows that there is more.
        bytes += [UInt8](repeating: 0, count: YAMLLimits.byteCount + 1 - bytes.count)
        if count == ggufMagic.count { count = try fill(&bytes, from: count, of: descriptor, path) }
        guard count <= YAMLLimits.byteCount else { throw tooLarge(path, nil) }
        return .yaml(Array(bytes.prefix(count)))
    }

    /// What to open for a model's name, where nothing is at that path; nil for what is no such name.
    static func model(named text: String, in cache: HubCache?) throws(ConfigurationError) -> String? {
        let isFile = [".yaml", ".yml", ".gguf", ".json"].contains { text.lowercased().hasSuffix($0) }
        guard let cache, !isFile, access(text, F_OK) != 0, errno == ENOENT || errno == ENOTDIR,
            let name = try? ModelReference(text)
        else { return nil }
        do throws(HubError) {
            if let path = try cache.model(name) { return path }
        } catch {
            throw refusal(text, "\(error)")
        }
        throw refusal(text, missing(name))
    }

    /// What to say about a model's name that is neither a path nor in the cache.
    static func missing(_ name: ModelReference) -> String {
        "no such file, and no such model in the cache; `quire pull \(name)` fetches it"
    }

    /// Reads into `bytes` from `start` on until they are full or the file ends; returns how many are there then.
    private static func fill(
        _ bytes: inout [UInt8], from start: Int, of descriptor: CInt, _ path: String
    ) throws(ConfigurationError) -> Int {
        var count = start
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { Self.read(descriptor, $0, from: count) }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw refusal(path, systemMessage(errno)) }
            if got == 0 { break }
            count += got
        }
        return count
    }

    private static func read(_ descriptor: CInt, _ bytes: UnsafeMutableRawBufferPointer, from offset: Int) -> Int {
        #if canImport(Darwin)
            Darwin.read(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
        #elseif canImport(Musl)
            Musl.read(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
        #else
            Glibc.read(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
        #endif
    }

    /// The refusal of a text beyond the limit.
    static func tooLarge(_ path: String, _ byteCount: Int?) -> ConfigurationError {
        let found = byteCount.map { "a file of \($0) bytes" } ?? "more than \(YAMLLimits.byteCount) bytes"
        return refusal(path, "\(expected), found \(found), which is too large for YAML")
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
