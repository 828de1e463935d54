internal import JSON
internal import Tensors

/// One safetensors file: eight bytes of header length, a JSON header, the data
/// (huggingface/safetensors, README, "Format").
///
/// Like the reference reader it refuses overlaps, holes and trailing bytes, so that no byte has two meanings.
struct SafetensorsFile: Sendable {
    /// One entry of the header, checked against the file.
    struct Entry: Sendable {
        let name: String
        /// Nil for a type that we do not know, called `typeName`: nobody may ever read it.
        let type: StoredType?
        let typeName: String
        let shape: [Int]
        /// Where its data begins, from the start of the file.
        let byteOffset: Int
        let byteCount: Int
    }

    /// The reference reader's limit.
    static let maxHeaderByteCount = 100_000_000

    /// Why a file may be too short.
    private static let cutOff = "it was cut off, so download or copy it again"

    let file: String
    let entries: [String: Entry]
    let memory: HostMemory

    /// Reads and checks the header of `memory`, which holds the whole of `file`.
    init(file: String, memory: HostMemory) throws(WeightLoadingError) {
        self.file = file
        self.memory = memory
        entries = try withExtendedLifetime(memory) { () throws(WeightLoadingError) in
            try Self.readEntries(memory.bytes, file: file)
        }
    }

    /// The tensor of an entry. Throws `unsupportedType` for a type that we do not know.
    func tensor(_ entry: Entry) throws(WeightLoadingError) -> StoredTensor {
        guard let type = entry.type else {
            let known = StoredType.allCases.filter { !$0.isQuantized }.map(\.rawValue).joined(separator: ", ")
            throw .unsupportedType(file: file, tensor: entry.name, type: entry.typeName, supported: known)
        }
        return StoredTensor(
            file: file, name: entry.name, type: type, shape: entry.shape, memory: memory, byteOffset: entry.byteOffset)
    }

    private static func readEntries(
        _ bytes: UnsafeRawBufferPointer, file: String
    ) throws(WeightLoadingError) -> [String: Entry] {
        guard bytes.count >= 8 else {
            let found = bytes.isEmpty ? "the file is empty" : "\(bytes.count) bytes are too few for a safetensors file"
            throw .malformed(file: file, reason: "\(found); \(Self.cutOff)")
        }
        let stated = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard stated <= UInt64(bytes.count - 8) else {
            if bytes.starts(with: "GGUF".utf8) { throw .malformed(file: file, reason: "it is a GGUF file") }
            // A header that could be one, or none at all.
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
