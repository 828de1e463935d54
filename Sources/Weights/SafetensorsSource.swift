internal import JSON

/// The tensors of one safetensors file, or of several that a `model.safetensors.index.json` ties together.
public struct SafetensorsSource: TensorSource {
    /// What was opened, for errors.
    public let file: String
    /// Bytes of all tensors.
    public let byteCount: Int
    private let shards: [SafetensorsFile]
    private let shardOfTensor: [String: Int]
    /// Tensors that the index names, and the files that do not have them.
    private let promised: [String: String]

    /// Opens one file.
    public init(file: String) throws(WeightLoadingError) {
        try self.init(file: file, shards: [SafetensorsFile(file: file, memory: mapFile(file))])
    }

    /// Opens the files that `index` names, which must lie beside it.
    /// Throws `badShard` for one that is absent or elsewhere. A tensor that its shard lacks is missed when it is asked for:
    /// it may be one that nobody needs.
    public init(index: String) throws(WeightLoadingError) {
        let document = try JSONDocument(file: index)
        guard case .object(let weightMap) = document.value("weight_map") else {
            throw .missingKey(file: index, key: "weight_map", expected: "an object of tensor names and files")
        }
        var shardNames: Set<String> = []
        for (tensor, value) in weightMap.dictionary {
            guard case .string(let shard) = value else {
                throw .illTypedKey(
                    file: index, key: "weight_map.\(tensor)", expected: "a file name", found: value.summary)
            }
            // A plain name beside the index, so that a checkpoint cannot reach into the machine's other files.
            guard !shard.isEmpty, !shard.contains("/"), !shard.contains("\\"), !shard.contains("\0"), shard != ".."
            else {
                throw .badShard(file: index, shard: shard, reason: "is not a plain file name")
            }
            shardNames.insert(shard)
        }
        let directory = index.directoryPath
        var shards: [SafetensorsFile] = []
        for name in shardNames.sorted() {
            let path = directory.appendingPath(name)
            guard PathKind(of: path) == .file else { throw .badShard(file: index, shard: name, reason: "is missing") }
            shards.append(try SafetensorsFile(file: path, memory: mapFile(path)))
        }
        var promised: [String: String] = [:]
        for case (let tensor, .string(let shard)) in weightMap.dictionary {
            promised[tensor] = directory.appendingPath(shard)
        }
        self.init(file: index, shards: shards, promised: promised)
    }

    /// The tensors of `shards`. `promised` says in which of the files a tensor lies, where several may have it.
    init(file: String, shards: [SafetensorsFile], promised: [String: String] = [:]) {
        self.file = file
        self.shards = shards
        var shardOfTensor: [String: Int] = [:]
        for (number, shard) in shards.enumerated() {
            for name in shard.entries.keys where (promised[name] ?? shard.file) == shard.file {
                shardOfTensor[name] = shardOfTensor[name] ?? number
            }
        }
        self.shardOfTensor = shardOfTensor
        self.promised = promised.filter { shardOfTensor[$0.key] == nil }
        byteCount = shardOfTensor.reduce(0) { $0 + (shards[$1.value].entries[$1.key]?.byteCount ?? 0) }
    }

    /// Names of all tensors, sorted.
    public var tensorNames: [String] { shardOfTensor.keys.sorted() }

    /// Extents of a tensor, outermost first; nil when there is none of this name.
    public func shape(of name: String) -> [Int]? { entry(name)?.entry.shape }

    /// The tensor of this name. Throws `missingTensor`, or `badShard` where the index names a file that does not have it.
    public func tensor(named name: String) throws(WeightLoadingError) -> StoredTensor {
        guard let (shard, entry) = entry(name) else {
            guard let shard = promised[name] else { throw .missingTensor(file: file, tensor: name) }
            throw .badShard(file: file, shard: shard.lastPathPart, reason: "does not hold tensor \(name)")
        }
        return try shard.tensor(entry)
    }

    private func entry(_ name: String) -> (shard: SafetensorsFile, entry: SafetensorsFile.Entry)? {
        guard let shard = shardOfTensor[name].map({ shards[$0] }), let entry = shard.entries[name] else { return nil }
        return (shard, entry)
    }
}
