import CLibrary
import JSON

/// What happens during a download, for a progress bar or a log.
public enum PullEvent: Sendable, Equatable {
    /// The files are chosen: how many bytes they have, and how many of them were there already.
    case started(commit: String, fileCount: Int, byteCount: Int, presentByteCount: Int)
    /// Bytes of all files that are there, of `file` the last ones.
    case progress(file: String, byteCount: Int)
    /// A file is complete and checked.
    case finished(file: String, byteCount: Int)
    /// Something failed and is tried again after a pause.
    case retrying(reason: String, seconds: Double)
    /// Another process downloads this file.
    case waiting(file: String)
}

/// A model that was pulled.
public struct PulledModel: Sendable, Equatable {
    /// The folder of its commit in the cache.
    public let snapshot: String
    /// What to open: the folder, or the first part of a GGUF model.
    public let path: String
    /// Bytes of its files.
    public let byteCount: Int
}

/// Fetches what serving a model needs from a hub into the cache.
///
/// ```swift
/// let pull = ModelPull(try ModelReference("Qwen/Qwen3-0.6B"), into: cache, HubOptions(endpoint: endpoint))
/// let model = try pull.run { print($0) }
/// ```
public struct ModelPull {
    private let model: ModelReference
    private let cache: HubCache
    private let options: HubOptions
    private let pattern: String?

    /// An index of shards has a line for each tensor.
    private static let maximumIndexByteCount = 64 << 20

    /// - Parameter pattern: which GGUF model: a name with `*` and `?`, or a part of it.
    public init(_ model: ModelReference, into cache: HubCache, _ options: HubOptions, pattern: String? = nil) {
        self.model = model
        self.cache = cache
        self.options = options
        self.pattern = pattern
    }

    /// Downloads what is missing, checks it, and then makes the revision point to it. What an earlier call left unfinished
    /// goes on where it ended.
    public func run(onEvent: @escaping (PullEvent) -> Void) throws(HubError) -> PulledModel {
        let client = try HubClient(options) { onEvent(.retrying(reason: $0, seconds: $1)) }
        let listing = try client.listing(of: model)
        let selection = try FileSelection(listing, model, pattern: pattern)
        let folder = CacheFolder(cache, model)
        try folder.create()
        var job = Job(client: client, model: model, commit: listing.commit, folder: folder, onEvent: onEvent)
        var files = try selection.files.map { path throws(HubError) in try job.facts(of: path, listing) }
        if let index = selection.index {
            // Which shards there are, only the index knows.
            let file = try job.facts(of: index, listing)
            try job.fetch(file)
            files.append(file)
            for shard in try shards(in: folder.blob(file.digest), index) {
                guard listing.files.contains(where: { $0.path == shard }) else {
                    throw .notFound(model: model, what: .file(shard), reason: ", which \(index) names")
                }
                files.append(try job.facts(of: shard, listing))
            }
        }
        try job.start(files)
        for file in files { try job.fetch(file) }
        try folder.writeReference(model, commit: listing.commit)
        let snapshot = folder.snapshot(listing.commit)
        let first = files.first { $0.path.lowercased().hasSuffix(".gguf") }
        return PulledModel(
            snapshot: snapshot, path: first.map { "\(snapshot)/\($0.path)" } ?? snapshot,
            byteCount: files.reduce(0) { $0 + $1.byteCount })
    }

    /// The names of the shards that an index lists.
    private func shards(in blob: String, _ index: String) throws(HubError) -> [String] {
        func bad(_ reason: String) -> HubError { .corrupt(file: index, reason: reason) }
        guard let count = DiskFile.byteCount(of: blob), count <= Self.maximumIndexByteCount,
            let text = DiskFile.text(of: blob, maximumByteCount: count)
        else { throw bad("expected JSON of at most \(Self.maximumIndexByteCount) bytes") }
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(Array(text.utf8)) } catch { throw bad("\(error)") }
        guard case .object(let map)? = value["weight_map"] else { throw bad("expected an object in weight_map") }
        var names: Set<String> = []
        for member in map.members {
            guard case .string(let name) = member.value, HubListing.isSafe(name), !name.contains("/"),
                name.hasSuffix(".safetensors")
            else {
                throw bad("expected names of .safetensors files in weight_map, found \(member.value.summary.visible)")
            }
            names.insert(name)
        }
        return names.sorted()
    }
}

/// A file with everything that its download needs.
private struct PulledFile {
    let path: String
    let byteCount: Int
    let digest: BlobDigest
}

/// The downloads of one call, and how far they are.
private struct Job {
    let client: HubClient
    let model: ModelReference
    let commit: String
    let folder: CacheFolder
    let onEvent: (PullEvent) -> Void
    /// Bytes of the files before the current one.
    private var doneByteCount = 0
    private var isStarted = false

    init(
        client: HubClient, model: ModelReference, commit: String, folder: CacheFolder,
        onEvent: @escaping (PullEvent) -> Void
    ) {
        self.client = client
        self.model = model
        self.commit = commit
        self.folder = folder
        self.onEvent = onEvent
    }

    /// Size and digest of a file, from the list or from the hub's answer about it.
    func facts(of path: String, _ listing: HubListing) throws(HubError) -> PulledFile {
        var file = listing.files.first { $0.path == path } ?? HubListing.File(path: path)
        if file.byteCount == nil || file.digest == nil { file = try client.facts(of: path, model, commit: commit) }
        guard let count = file.byteCount, let digest = file.digest else {
            preconditionFailure("the hub's answer about a file has size and digest")
        }
        return PulledFile(path: path, byteCount: count, digest: digest)
    }

    /// Throws `noSpace` where the disk has no room for what is missing.
    mutating func start(_ files: [PulledFile]) throws(HubError) {
        var (total, present) = (0, 0)
        for file in files {
            let (sum, overflows) = total.addingReportingOverflow(file.byteCount)
            guard !overflows else { throw .corrupt(file: file.path, reason: "the sizes of all files overflow") }
            total = sum
            let blob = folder.blob(file.digest)
            let complete = DiskFile.byteCount(of: blob)
            present +=
                complete == file.byteCount
                ? file.byteCount : min(DiskFile.byteCount(of: "\(blob).incomplete") ?? 0, file.byteCount)
        }
        if let free = DiskFile.freeByteCount(at: folder.path), total - present > free {
            throw .noSpace(directory: folder.path, neededByteCount: total - present, freeByteCount: free)
        }
        isStarted = true
        onEvent(.started(commit: commit, fileCount: files.count, byteCount: total, presentByteCount: present))
    }

    /// Downloads a file unless its content is there, and links it into the snapshot.
    mutating func fetch(_ file: PulledFile) throws(HubError) {
        let blob = folder.blob(file.digest)
        if DiskFile.byteCount(of: blob) != file.byteCount {
            let (done, isStarted, onEvent) = (doneByteCount, isStarted, onEvent)
            let download = BlobDownload(
                client: client, model: model, commit: commit, path: file.path, byteCount: file.byteCount,
                digest: file.digest, blob: blob
            ) { count in
                if isStarted { onEvent(.progress(file: file.path, byteCount: done + count)) }
            }
            try folder.locked(file.digest, onWait: { onEvent(.waiting(file: file.path)) }) { () throws(HubError) in
                // Another process may have been faster.
                if DiskFile.byteCount(of: blob) != file.byteCount { try download.run() }
            }
        }
        try folder.link(file.path, in: commit, to: file.digest)
        guard isStarted else { return }
        doneByteCount += file.byteCount
        onEvent(.finished(file: file.path, byteCount: file.byteCount))
    }
}
