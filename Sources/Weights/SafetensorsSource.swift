internal import JSON

/// The tensors of one safetensors file, or of several that a `model.safetensors.index.json` ties together.
public struct SafetensorsSource: TensorSource {
    /// What was opened, for errors.
    public let file: String
    /// Bytes of all tensors.
    public let byteCount: Int
    private let shards: [SafetensorsFile]
    private let shardOfTensor: [String: Int]

    /// Opens one file.
    public init(file: String) throws(WeightLoadingError) {
        try self.init(file: file, shards: [SafetensorsFile(file: file, memory: mapFile(file))])
    }

    /// Opens the files that `index` names, which must lie beside it.
    /// Throws `badShard` for one that is absent, elsewhere, or holds other tensors than the index says.
    public init(index: String) throws(WeightLoadingError) {
        let document = try JSONDocument(file: index)
        guard case .object(let weightMap) = document.members["weight_map"] else {
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
        try self.init(file: index, shards: shards)
        for (tensor, value) in weightMap.dictionary.sorted(by: { $0.key < $1.key }) {
            guard case .string(let shard) = value else { continue }
            guard let number = shardOfTensor[tensor], shards[number].file == directory.appendingPath(shard) else {
                throw .badShard(file: index, shard: shard, reason: "does not hold tensor \(tensor)")
            }
        }
    }

    init(file: String, shards: [SafetensorsFile]) throws(WeightLoadingError) {
        self.file = file
        self.shards = shards
        var shardOfTensor: [String: Int] = [:]
        var byteCount = 0
        for (number, shard) in shards.enumerated() {
            for (name, entry) in shard.entries {
                guard shardOfTensor.updateValue(number, forKey: name) == nil else {
                    throw .malformedTensor(
                        file: shard.file, tensor: name, reason: "another shard holds a tensor of this name")
                }
                byteCount += entry.byteCount
            }
        }
        self.shardOfTensor = shardOfTensor
        self.byteCount = byteCount
    }

    /// Names of all tensors, sorted.
    public var tensorNames: [String] { shardOfTensor.keys.sorted() }

    /// Extents of a tensor, outermost first; nil when there is none of this name.
    public func shape(of name: String) -> [Int]? { entry(name)?.entry.shape }

    /// The tensor of this name. Throws `missingTensor`.
    public func tensor(named name: String) throws(WeightLoadingError) -> StoredTensor {
        guard let (shard, entry) = entry(name) else { throw .missingTensor(file: file, tensor: name) }
        return shard.tensor(entry)
    }

    private func entry(_ name: String) -> (shard: SafetensorsFile, entry: SafetensorsFile.Entry)? {
        guard let shard = shardOfTensor[name].map({ shards[$0] }), let entry = shard.entries[name] else { return nil }
        return (shard, entry)
    }
}
