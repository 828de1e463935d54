import JSON
import Tensors

/// The tensors of one safetensors file, or of the shards that a `model.safetensors.index.json` lists.
public struct SafetensorsSource: TensorSource {
    /// What was opened, for errors.
    public let file: String
    /// Bytes of all tensors.
    public let byteCount: Int
    private let shards: [SafetensorsFile]
    private let shardOfTensor: [String: Int]
    /// The shard of each tensor that the index lists but its shard lacks.
    private let promised: [String: String]
    /// The tensors for which the index names a shard.
    private let indexed: Set<String>

    /// Opens one file. Throws `malformed` for a header of more than `maxHeaderByteCount` bytes; the default is the reference
    /// reader's limit.
    public init(file: String, maxHeaderByteCount: Int = 100_000_000) throws(WeightLoadingError) {
        let memory = try mapFile(file)
        try self.init(
            file: file,
            shards: [SafetensorsFile(file: file, memory: memory, maxHeaderByteCount: maxHeaderByteCount)])
    }

    /// Opens the shards that `index` lists, which must be in the same directory. Throws `badShard` for one that is
    /// missing or elsewhere. A tensor that its shard lacks is an error only when it is read, because the model may not
    /// need it.
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
            // Only plain file names, so that a checkpoint cannot open files outside its directory.
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

    /// The tensors of `shards`. `promised` is the shard of a tensor that several shards may have.
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
        indexed = Set(promised.keys)
        self.promised = promised.filter { shardOfTensor[$0.key] == nil }
        byteCount = shardOfTensor.reduce(0) { $0 + (shards[$1.value].entries[$1.key]?.byteCount ?? 0) }
    }

    /// Names of all tensors, sorted.
    public var tensorNames: [String] { shardOfTensor.keys.sorted() }

    /// Extents of a tensor, outermost first; nil when there is none of this name.
    public func shape(of name: String) -> [Int]? { entry(name)?.entry.shape }

    /// The tensor of this name. Throws `missingTensor`, or `badShard` if the index lists it but its shard lacks it.
    public func tensor(named name: String) throws(WeightLoadingError) -> StoredTensor {
        guard let (shard, entry) = entry(name) else {
            guard let shard = promised[name] else { throw .missingTensor(file: file, tensor: name) }
            throw .badShard(file: file, shard: shard.lastPathPart, reason: "does not hold tensor \(name)")
        }
        try requireOneContent(name, in: shard)
        return try shard.tensor(entry)
    }

    /// Throws `malformedTensor` if another shard has different numbers of this name, and no index says which ones are
    /// meant.
    private func requireOneContent(_ name: String, in shard: SafetensorsFile) throws(WeightLoadingError) {
        guard !indexed.contains(name), shards.count > 1, let entry = shard.entries[name] else { return }
        for other in shards where other.file != shard.file {
            guard let second = other.entries[name] else { continue }
            guard try shard.tensor(entry).hasNumbers(of: try other.tensor(second)) else {
                throw .malformedTensor(
                    file: other.file, tensor: name,
                    reason:
                        "\(shard.file.lastPathPart) has another tensor of this name, and no index says which one is meant"
                )
            }
        }
    }

    private func entry(_ name: String) -> (shard: SafetensorsFile, entry: SafetensorsFile.Entry)? {
        guard let shard = shardOfTensor[name].map({ shards[$0] }), let entry = shard.entries[name] else { return nil }
        return (shard, entry)
    }
}

/// One safetensors file: eight bytes of header length, a JSON header, the data
/// (huggingface/safetensors, README, "Format").
///
/// Like the reference reader, it refuses overlapping tensors, gaps and trailing bytes.
struct SafetensorsFile: Sendable {
    /// One entry of the header, checked against the file.
    struct Entry: Sendable {
        let name: String
        /// Nil: the type, named `typeName`, is not supported, which is an error only when the tensor is read.
        let type: StoredType?
        let typeName: String
        let shape: [Int]
        /// Offset of its data from the start of the file.
        let byteOffset: Int
        let byteCount: Int
    }

    /// The reference reader's limit.
    static let maxHeaderByteCount = 100_000_000

    /// A hint for files that are too short.
    private static let cutOff = "it was cut off, so download or copy it again"

    let file: String
    let entries: [String: Entry]
    let memory: HostMemory

    /// Reads and checks the header of `memory`, which holds the whole of `file`.
    init(
        file: String, memory: HostMemory, maxHeaderByteCount: Int = SafetensorsFile.maxHeaderByteCount
    ) throws(WeightLoadingError) {
        self.file = file
        self.memory = memory
        entries = try withExtendedLifetime(memory) { () throws(WeightLoadingError) in
            try Self.readEntries(memory.bytes, file: file, maxHeaderByteCount: maxHeaderByteCount)
        }
    }

    /// The tensor of an entry. Throws `unsupportedType` for a type that is not supported.
    func tensor(_ entry: Entry) throws(WeightLoadingError) -> StoredTensor {
        guard let type = entry.type else {
            let known = StoredType.allCases.filter { !$0.isQuantized }.map(\.rawValue).joined(separator: ", ")
            throw .unsupportedType(file: file, tensor: entry.name, type: entry.typeName, supported: known)
        }
        return StoredTensor(
            file: file, name: entry.name, type: type, shape: entry.shape, memory: memory, byteOffset: entry.byteOffset)
    }

    private static func readEntries(
        _ bytes: UnsafeRawBufferPointer, file: String, maxHeaderByteCount: Int
    ) throws(WeightLoadingError) -> [String: Entry] {
        guard bytes.count >= 8 else {
            let found = bytes.isEmpty ? "the file is empty" : "\(bytes.count) bytes are too few for a safetensors file"
            throw .malformed(file: file, reason: "\(found); \(Self.cutOff)")
        }
        let stated = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard stated <= UInt64(bytes.count - 8) else {
            if bytes.starts(with: "GGUF".utf8) { throw .malformed(file: file, reason: "it is a GGUF file") }
            // A plausible length and a brace suggest a truncated header; otherwise the file has another format.
            let reason =
                stated <= maxHeaderByteCount && bytes.count > 8 && bytes[8] == UInt8(ascii: "{")
                ? cutOff : "it is no safetensors file"
            throw .malformed(
                file: file,
                reason: "header of \(stated) bytes is longer than the file, \(bytes.count) bytes: \(reason)")
        }
        guard stated <= maxHeaderByteCount else {
            throw .malformed(file: file, reason: "header of \(stated) bytes exceeds \(maxHeaderByteCount)")
        }
        let dataOffset = 8 + Int(stated)
        let header: JSONValue
        do {
            header = try JSONParser.parse(
                UnsafeRawBufferPointer(rebasing: bytes[8..<dataOffset]), options: .headers)
        } catch {
            throw .malformed(file: file, reason: "header is \(error)")
        }
        guard case .object(let object) = header else {
            throw .malformed(file: file, reason: "header is \(header.summary), not an object")
        }
        var entries: [String: Entry] = [:]
        for member in object.members where member.key != "__metadata__" {
            entries[member.key] = try entry(
                member.key, member.value, dataOffset: dataOffset, fileByteCount: bytes.count, file: file)
        }
        try checkCoverage(entries.values, dataOffset: dataOffset, fileByteCount: bytes.count, file: file)
        return entries
    }

    private static func entry(
        _ name: String, _ value: JSONValue, dataOffset: Int, fileByteCount: Int, file: String
    ) throws(WeightLoadingError) -> Entry {
        func malformed(_ reason: String) -> WeightLoadingError {
            .malformedTensor(file: file, tensor: name, reason: reason)
        }
        guard case .object(let members) = value else { throw malformed("its entry is \(value.summary)") }
        guard case .string(let typeName) = members["dtype"] else { throw malformed("dtype is missing") }
        let type = StoredType(rawValue: typeName).flatMap { $0.isQuantized ? nil : $0 }
        guard let shape = integers(members["shape"]) else { throw malformed("shape must be a list of integers") }
        guard let byteCount = TensorExtent.byteCount(shape, type ?? .u8) else {
            throw malformed("shape \(shape) is negative or overflows")
        }
        guard let offsets = integers(members["data_offsets"]), offsets.count == 2 else {
            throw malformed("data_offsets must be two integers")
        }
        let dataByteCount = fileByteCount - dataOffset
        guard offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= dataByteCount else {
            let reason = offsets[0] >= 0 && offsets[0] <= offsets[1] ? "; \(cutOff)" : ""
            throw malformed("data_offsets \(offsets) lie outside the file's \(dataByteCount) bytes of data\(reason)")
        }
        guard type == nil || offsets[1] - offsets[0] == byteCount else {
            throw malformed(
                "data_offsets \(offsets) span \(offsets[1] - offsets[0]) bytes, "
                    + "shape \(shape) of \(typeName) needs \(byteCount)")
        }
        return Entry(
            name: name, type: type, typeName: typeName, shape: shape, byteOffset: dataOffset + offsets[0],
            byteCount: offsets[1] - offsets[0])
    }

    private static func checkCoverage(
        _ entries: some Collection<Entry>, dataOffset: Int, fileByteCount: Int, file: String
    ) throws(WeightLoadingError) {
        var end = dataOffset
        for entry in entries.sorted(by: { ($0.byteOffset, $0.byteCount) < ($1.byteOffset, $1.byteCount) }) {
            guard entry.byteOffset >= end else {
                throw .malformedTensor(
                    file: file, tensor: entry.name, reason: "its data overlaps another tensor's")
            }
            guard entry.byteOffset == end else {
                throw .malformedTensor(
                    file: file, tensor: entry.name,
                    reason: "\(entry.byteOffset - end) unnamed bytes lie before its data")
            }
            end = entry.byteOffset + entry.byteCount
        }
        guard end == fileByteCount else {
            throw .malformed(file: file, reason: "\(fileByteCount - end) bytes after the last tensor")
        }
    }

    private static func integers(_ value: JSONValue?) -> [Int]? {
        guard case .array(let elements) = value else { return nil }
        var integers: [Int] = []
        for element in elements {
            guard case .integer(let integer) = element else { return nil }
            integers.append(integer)
        }
        return integers
    }
}
