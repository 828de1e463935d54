import CLibrary

/// A directory of files that can always be made again: each carries a hash of its content, and one that does not fit
/// is reported and ignored.
struct CacheDirectory: Sendable {
    /// Where it is.
    let path: String
    /// Called with what was wrong, in a sentence.
    let onFailure: @Sendable (String) -> Void

    /// The content of file `name`; nil where there is none, or none that can be trusted.
    func read(_ name: String) -> [UInt8]? {
        guard let file = fopen(path + "/" + name, "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&part, 1, part.count, file)
            guard count > 0 else { break }
            bytes += part[..<count]
        }
        guard bytes.count >= 32, String(decoding: bytes[..<32], as: UTF8.self) == Self.hash(bytes[32...]) else {
            onFailure("\(path)/\(name) is damaged and will be made again")
            return nil
        }
        return Array(bytes[32...])
    }

    /// Writes file `name` whole or not at all; a failure is reported and does no harm.
    func write(_ content: [UInt8], to name: String) {
        makeDirectories()
        let target = path + "/" + name
        let temporary = "\(target).\(getpid()).\(UInt64.random(in: 0 ... .max))"
        guard let file = fopen(temporary, "wb") else {
            onFailure("\(path) cannot be written to; kernels will be compiled again at the next start")
            return
        }
        let bytes = Array(Self.hash(content[...]).utf8) + content
        let written = fwrite(bytes, 1, bytes.count, file)
        let closed = fclose(file)
        if written != bytes.count || closed != 0 || rename(temporary, target) != 0 {
            unlink(temporary)
            onFailure("\(target) could not be written")
        }
    }

    private func makeDirectories() {
        var end = path.startIndex
        while end < path.endIndex {
            end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
            mkdir(String(path[..<end]), 0o755)
        }
    }

    private static func hash(_ bytes: ArraySlice<UInt8>) -> String {
        var hash = ContentHash()
        hash.combine(bytes)
        return hash.text
    }
}
