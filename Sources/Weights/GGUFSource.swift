import SharedValues
import Tensors

/// The metadata and the tensors of a GGUF file, version 2 or 3, little-endian
/// (ggml-org/ggml, docs/gguf.md).
///
/// Opening a file checks its whole header: counts against the file's length, dimensions for overflow, and each tensor's
/// range against the file and against other tensors.
public struct GGUFSource: TensorSource {
    private struct Entry: Sendable {
        let name: String
        /// ggml's number of the type.
        let code: UInt32
        let shape: [Int]
        var byteOffset: Int
        /// Nil: the type is not supported, which is an error only when the tensor is read.
        let byteCount: Int?
    }

    public let file: String
    /// The key/value section.
    public let metadata: [String: GGUFValue]
    /// Bytes of all tensors.
    public let byteCount: Int
    private let entries: [String: Entry]
    private let memory: HostMemory
    /// The other parts of a model that was split into several files.
    private let others: [GGUFSource]

    /// Opens `file`. Throws `malformed` where what comes before the data has more than `maxHeaderByteCount` bytes.
    public init(file: String, maxHeaderByteCount: Int = .max) throws(WeightLoadingError) {
        try self.init(file: file, memory: mapFile(file), maxHeaderByteCount: maxHeaderByteCount)
    }

    /// Reads and checks the header of `memory`, which holds the whole of `file`.
    init(file: String, memory: HostMemory, maxHeaderByteCount: Int = .max) throws(WeightLoadingError) {
        self.file = file
        self.memory = memory
        others = []
        (metadata, entries) = try withExtendedLifetime(memory) { () throws(WeightLoadingError) in
            try Self.readHeader(memory.bytes, file: file, maxHeaderByteCount: maxHeaderByteCount)
        }
        byteCount = entries.values.reduce(0) { $0 + ($1.byteCount ?? 0) }
    }

    /// The tensors of `first`, which has the metadata, and of `others`. Throws if two parts have the same tensor.
    init(_ first: GGUFSource, others: [GGUFSource]) throws(WeightLoadingError) {
        file = first.file
        metadata = first.metadata
        entries = first.entries
        memory = first.memory
        self.others = others
        byteCount = others.reduce(first.byteCount) { $0 + $1.byteCount }
        var seen = Set(first.entries.keys)
        for part in others {
            for name in part.entries.keys.sorted() where !seen.insert(name).inserted {
                throw .malformedTensor(file: part.file, tensor: name, reason: "another part has a tensor of this name")
            }
        }
    }

    /// Names of all tensors, sorted.
    public var tensorNames: [String] { others.reduce(Array(entries.keys)) { $0 + $1.entries.keys }.sorted() }

    /// Extents of a tensor, outermost first; nil when there is none of this name.
    public func shape(of name: String) -> [Int]? {
        entries[name]?.shape ?? others.lazy.compactMap { $0.entries[name]?.shape }.first
    }

    /// The tensor of this name. Throws `missingTensor`, or `unsupportedType` for a type that is not supported.
    public func tensor(named name: String) throws(WeightLoadingError) -> StoredTensor {
        guard let entry = entries[name] else {
            guard let part = others.first(where: { $0.entries[name] != nil }) else {
                throw .missingTensor(file: file, tensor: name)
            }
            return try part.tensor(named: name)
        }
        guard let type = GGUFTensorType.storedType(entry.code) else {
            let supported = StoredType.allCases.filter(\.isConvertible).map(\.rawValue).joined(separator: ", ")
            throw .unsupportedType(
                file: file, tensor: name, type: GGUFTensorType.name(entry.code), supported: supported)
        }
        return StoredTensor(
            file: file, name: name, type: type, shape: entry.shape, memory: memory, byteOffset: entry.byteOffset)
    }

    private static func readHeader(
        _ bytes: UnsafeRawBufferPointer, file: String, maxHeaderByteCount: Int
    ) throws(WeightLoadingError) -> ([String: GGUFValue], [String: Entry]) {
        var reader = GGUFReader(
            UnsafeRawBufferPointer(rebasing: bytes.prefix(maxHeaderByteCount)), file: file)
        guard !bytes.isEmpty else { throw .malformed(file: file, reason: "the file is empty") }
        let magic = try reader.integer(UInt32.self, "the magic number")
        guard magic == 0x4655_4747 else {
            let isOld = [0x6767_6D6C, 0x6767_6D66, 0x6767_6A74, 0x6767_6C61].contains(magic)
            let isSafetensors = bytes.count > 8 && bytes[8] == UInt8(ascii: "{")
            let kind =
                isOld
                ? "; it is of GGML's formats before GGUF, which have to be converted"
                : isSafetensors ? "; it may be a safetensors file" : ""
            throw .malformed(file: file, reason: "it does not begin with \"GGUF\"\(kind)")
        }
        let version = try reader.integer(UInt32.self, "the version")
        guard version == 2 || version == 3 else {
            // In a big-endian file, the version's bytes are swapped.
            let found =
                (1...3).contains(version.byteSwapped) ? "big-endian, version \(version.byteSwapped)" : "\(version)"
            throw .unsupported(file: file, key: "GGUF version", found: found, supported: "2 and 3, little-endian")
        }
        // Minimum size of an entry: name length, dimension count, type, offset; of a pair: key length, type, one byte.
        let tensorCount = try reader.count("tensor count", minimumByteCount: 8 + 4 + 4 + 8)
        let pairCount = try reader.count("metadata count", minimumByteCount: 8 + 4 + 1)
        var metadata: [String: GGUFValue] = [:]
        for number in 0..<pairCount {
            let key = try reader.string("metadata key \(number)")
            let value = try reader.value(key)
            guard metadata.updateValue(value, forKey: key) == nil else {
                throw .malformed(file: file, reason: "key \(key) appears twice")
            }
        }
        let alignment = try alignment(metadata, file: file)
        var entries: [Entry] = []
        for number in 0..<tensorCount {
            entries.append(try readEntry(&reader, number: number, alignment: alignment, file: file))
        }
        let dataOffset = (reader.offset + alignment - 1) & ~(alignment - 1)
        return (metadata, try checked(entries, dataOffset: dataOffset, fileByteCount: bytes.count, file: file))
    }

    private static func alignment(
        _ metadata: [String: GGUFValue], file: String
    ) throws(WeightLoadingError) -> Int {
        guard let value = metadata["general.alignment"] else { return 32 }
        // Zero would divide by zero, huge alignments would overflow.
        guard case .integer(let alignment) = value, alignment > 0, alignment <= 1 << 24,
            alignment & (alignment - 1) == 0
        else {
            throw .illTypedKey(
                file: file, key: "general.alignment", expected: "a power of two up to 16 MiB", found: value.kind)
        }
        return alignment
    }

    /// Reads one tensor's entry; its `byteOffset` is still relative to the data section.
    private static func readEntry(
        _ reader: inout GGUFReader, number: Int, alignment: Int, file: String
    ) throws(WeightLoadingError) -> Entry {
        let name = try reader.string("name of tensor \(number)")
        func malformed(_ reason: String) -> WeightLoadingError {
            .malformedTensor(file: file, tensor: name, reason: reason)
        }
        let dimensionCount = try reader.integer(UInt32.self, "dimension count of \(name)")
        guard dimensionCount <= 4 else {
            throw malformed("it has \(dimensionCount) dimensions, at most 4 are possible")
        }
        var innermostFirst: [Int] = []
        for _ in 0..<dimensionCount {
            let extent = try reader.integer(UInt64.self, "dimensions of \(name)")
            guard let extent = Int(exactly: extent) else { throw malformed("extent \(extent) overflows") }
            innermostFirst.append(extent)
        }
        let code = try reader.integer(UInt32.self, "type of \(name)")
        // ggml does not distinguish outer extents of one from missing ones; a matrix keeps both of its extents.
        var shape = Array(innermostFirst.reversed())
        while shape.count > 2, shape[0] == 1 { shape.removeFirst() }
        let type = GGUFTensorType.storedType(code)
        guard let byteCount = TensorExtent.byteCount(shape, type ?? .u8) else {
            throw malformed("shape \(shape) overflows")
        }
        if let type, (innermostFirst.first ?? 1) % type.blockElementCount != 0 {
            throw malformed(
                "rows of \(innermostFirst.first ?? 1) are not whole blocks of \(type.blockElementCount) (\(type.rawValue))"
            )
        }
        let offset = try reader.integer(UInt64.self, "offset of \(name)")
        guard let byteOffset = Int(exactly: offset) else { throw malformed("offset \(offset) overflows") }
        guard byteOffset % alignment == 0 else {
            throw malformed("offset \(byteOffset) is not a multiple of the alignment, \(alignment)")
        }
        return Entry(
            name: name, code: code, shape: shape, byteOffset: byteOffset, byteCount: type == nil ? nil : byteCount)
    }

    /// The entries by name, with offsets from the start of the file, after every range is checked.
    private static func checked(
        _ entries: [Entry], dataOffset: Int, fileByteCount: Int, file: String
    ) throws(WeightLoadingError) -> [String: Entry] {
        let dataByteCount = max(0, fileByteCount - dataOffset)
        var checked: [String: Entry] = [:]
        var end = 0
        func order(_ entry: Entry) -> (Int, Int) { (entry.byteOffset, entry.byteCount ?? 0) }
        for var entry in entries.sorted(by: { order($0) < order($1) }) {
            let byteCount = entry.byteCount ?? 0
            func malformed(_ reason: String) -> WeightLoadingError {
                .malformedTensor(file: file, tensor: entry.name, reason: reason)
            }
            // Subtraction instead of addition avoids overflow.
            guard byteCount <= dataByteCount, entry.byteOffset <= dataByteCount - byteCount else {
                throw malformed(
                    "its \(byteCount) bytes at offset \(entry.byteOffset) lie outside the file's "
                        + "\(dataByteCount) bytes of data; the file was cut off, so download or copy it again")
            }
            guard entry.byteOffset >= end else { throw malformed("its data overlaps another tensor's") }
            end = entry.byteOffset + byteCount
            entry.byteOffset = byteCount == 0 ? 0 : entry.byteOffset + dataOffset
            guard checked.updateValue(entry, forKey: entry.name) == nil else {
                throw malformed("another tensor has this name")
            }
        }
        return checked
    }
}

extension GGUFSource {
    /// Opens the model in `path`, or in several parts of which `path` is any. Parts are named
    /// `NAME-00001-of-00003.gguf` and are in the same directory, as llama.cpp's `gguf-split` writes them; the first one has
    /// the metadata. Throws `badShard` for a part that is missing or whose content does not match its name.
    public static func model(_ path: String) throws(WeightLoadingError) -> GGUFSource {
        let opened = try GGUFSource(file: path)
        let metadata = GGUFMetadata(file: path, values: opened.metadata)
        guard let count = try metadata.integer("split.count"), count > 1 else { return opened }
        let number = try metadata.integer("split.no") ?? 0
        guard let name = SplitFileName(path), name.number - 1 == number, name.count == count else {
            let expected = SplitFileName.path("NAME", part: min(max(number, 0), count - 1) + 1, of: count)
            throw .unsupported(
                file: path, key: "split.count", found: "\(count)", supported: "files called \(expected)")
        }
        var parts: [GGUFSource] = []
        for index in 0..<count {
            guard index != number else {
                parts.append(opened)
                continue
            }
            let file = name.path(ofPart: index + 1)
            func bad(_ reason: String) -> WeightLoadingError {
                .badShard(file: path, shard: file.lastPathPart, reason: reason)
            }
            guard PathKind(of: file) == .file else { throw bad("is missing") }
            let part = try GGUFSource(file: file)
            let values = GGUFMetadata(file: file, values: part.metadata)
            guard try values.integer("split.no") == index, try values.integer("split.count") == count else {
                throw bad("is not part \(index + 1) of \(count)")
            }
            parts.append(part)
        }
        return try GGUFSource(parts[0], others: Array(parts.dropFirst()))
    }
}

/// ggml's numbers of tensor types (ggml.h, `enum ggml_type`).
enum GGUFTensorType {
    private static let types: [UInt32: StoredType] = {
        var types: [UInt32: StoredType] = [
            0: .f32, 1: .f16, 24: .i8, 25: .i16, 26: .i32, 27: .i64, 28: .f64, 30: .bf16,
        ]
        for format in BlockFormat.allCases { types[format.ggmlCode] = .blocks(format) }
        return types
    }()

    /// The type with the number `code`; nil: it is not supported.
    static func storedType(_ code: UInt32) -> StoredType? { types[code] }

    /// ggml's name of the type with the number `code`, for errors.
    static func name(_ code: UInt32) -> String {
        // Of intermediate results, of repacked weights that ggml writes no more, and new ones.
        let others: [UInt32: String] = [
            4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8",
            36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8", 40: "NVFP4",
        ]
        return storedType(code)?.rawValue ?? others[code] ?? "number \(code)"
    }
}
