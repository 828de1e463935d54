import CLibrary

/// The folder in which huggingface_hub and other tools keep what they downloaded, so that all of them share it:
///
/// ```
/// models--ORG--NAME/blobs/DIGEST            contents
/// models--ORG--NAME/snapshots/COMMIT/PATH   links to them
/// models--ORG--NAME/refs/REVISION           the commit's hash
/// .locks/models--ORG--NAME/DIGEST.lock      locked with flock(2) while DIGEST is written
/// ```
///
/// Source: huggingface_hub, "Understand caching".
public struct HubCache: Sendable, Equatable {
    /// Its path.
    public let directory: String

    public init(directory: String) { self.directory = directory }

    /// The model's folder.
    func folder(of model: ModelReference) -> String {
        "\(directory)/models--\(model.repository.replacing("/", with: "--"))"
    }

    /// What to open for `model`: the folder of a snapshot with safetensors, or the first part of its only GGUF model. Nil:
    /// the cache does not have the model. Throws `unusableSnapshot` where the snapshot has no model, or several.
    public func model(_ model: ModelReference) throws(HubError) -> String? {
        guard let snapshot = snapshot(of: model) else { return nil }
        func has(_ name: String) -> Bool { DiskFile.exists("\(snapshot)/\(name)") }
        if has("config.json"), has("model.safetensors") || has("model.safetensors.index.json") { return snapshot }
        let models = GGUFParts.models(among: DiskFile.files(below: snapshot))
        guard models.count <= 1 else {
            let paths = models.map { "\n  \(snapshot)/\($0.paths[0])" }.joined()
            throw .unusableSnapshot(
                model: model, directory: snapshot, reason: "several models; give the path of one:\(paths)")
        }
        if let first = models.first { return "\(snapshot)/\(first.paths[0])" }
        guard has("config.json") else {
            throw .unusableSnapshot(
                model: model, directory: snapshot, reason: "no weights; `quire pull \(model)` fetches them")
        }
        return snapshot
    }

    /// The folder of the commit that the model's revision is, as far as the cache knows.
    private func snapshot(of model: ModelReference) -> String? {
        let folder = folder(of: model)
        let commit: String
        if model.isCommit {
            commit = model.revision
        } else {
            guard let text = DiskFile.text(of: "\(folder)/refs/\(model.revision)", maximumByteCount: 100) else {
                return nil
            }
            commit = String(text.filter { !$0.isWhitespace })
        }
        let snapshot = "\(folder)/snapshots/\(commit)"
        return ModelReference.isCommit(commit) && DiskFile.exists(snapshot) ? snapshot : nil
    }

    /// The name of the model whose snapshot is the folder at `path`: `NAME` of `…/models--ORG--NAME/snapshots/COMMIT`. Nil
    /// for other paths.
    public static func modelName(ofSnapshot path: String) -> String? {
        let parts = path.split(separator: "/")
        guard parts.count >= 3, ModelReference.isCommit(String(parts[parts.count - 1])),
            parts[parts.count - 2] == "snapshots", parts[parts.count - 3].hasPrefix("models--")
        else { return nil }
        let names = parts[parts.count - 3].dropFirst("models--".count)
        guard let separator = names.firstRange(of: "--") else { return nil }
        let name = names[separator.upperBound...]
        return name.isEmpty ? nil : String(name)
    }
}

/// One model's folder in the cache while it is written to.
struct CacheFolder {
    let path: String
    private let locks: String

    init(_ cache: HubCache, _ model: ModelReference) {
        path = cache.folder(of: model)
        locks = "\(cache.directory)/.locks/models--\(model.repository.replacing("/", with: "--"))"
    }

    /// Where the content with this digest is, or will be.
    func blob(_ digest: BlobDigest) -> String { "\(path)/blobs/\(digest.hexadecimal)" }

    /// The folder of a commit.
    func snapshot(_ commit: String) -> String { "\(path)/snapshots/\(commit)" }

    /// Creates the folders that every model has.
    func create() throws(HubError) {
        for folder in ["\(path)/blobs", "\(path)/snapshots", "\(path)/refs", locks] {
            try DiskFile.createFolder(folder)
        }
    }

    /// Runs `body` while no other process writes the content with this digest. `onWait` is called where one does.
    func locked<Result>(
        _ digest: BlobDigest, onWait: () -> Void, _ body: () throws(HubError) -> Result
    ) throws(HubError) -> Result {
        let lock = "\(locks)/\(digest.hexadecimal).lock"
        // Writable for the group, as huggingface_hub's: users may share a cache.
        let descriptor = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o664)
        guard descriptor >= 0 else { throw DiskFile.error(lock) }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            // Some network file systems have no locks; then two downloads at once are possible, and harmless when one
            // is not the continuation of the other.
            if errno == EWOULDBLOCK {
                onWait()
                while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
            }
        }
        return try body()
    }

    /// Makes `file` of a snapshot a link to its content, which is in place.
    func link(_ file: String, in commit: String, to digest: BlobDigest) throws(HubError) {
        let link = "\(snapshot(commit))/\(file)"
        let depth = file.utf8.count { $0 == UInt8(ascii: "/") }
        let target = String(repeating: "../", count: depth + 2) + "blobs/\(digest.hexadecimal)"
        try DiskFile.createFolder(String(link[..<(link.lastIndex(of: "/") ?? link.endIndex)]))
        if DiskFile.linkTarget(link) == target { return }
        // Put into place whole, in case that another process reads the old one.
        let new = "\(link).\(getpid()).new"
        unlink(new)
        guard symlink(target, new) == 0, rename(new, link) == 0 else { throw DiskFile.error(link) }
    }

    /// Writes which commit a branch or tag is.
    func writeReference(_ model: ModelReference, commit: String) throws(HubError) {
        guard !model.isCommit else { return }
        let file = "\(path)/refs/\(model.revision)"
        if DiskFile.text(of: file, maximumByteCount: 100) == commit { return }
        try DiskFile.createFolder(String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]))
        try DiskFile.write(commit, to: file)
    }
}
