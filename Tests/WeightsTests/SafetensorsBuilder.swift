import Tensors

@testable import Weights

/// The bytes of a safetensors file with the given header and data.
func safetensors(header: String, data: [UInt8] = [], statedHeaderByteCount: UInt64? = nil) -> [UInt8] {
    var bytes: [UInt8] = []
    withUnsafeBytes(of: (statedHeaderByteCount ?? UInt64(header.utf8.count)).littleEndian) { bytes += $0 }
    return bytes + Array(header.utf8) + data
}

/// The bytes of a safetensors file of the given tensors, stored as `type`.
func safetensors(_ tensors: [(name: String, values: [Float], shape: [Int])], as type: ElementType = .f32) -> [UInt8] {
    var entries: [String] = []
    var data: [UInt8] = []
    for tensor in tensors {
        let start = data.count
        HostTensor(tensor.values, shape: tensor.shape, as: type).withUnsafeBytes { data += $0 }
        entries.append(
            """
            "\(tensor.name)":{"dtype":"\(type.rawValue.uppercased())","shape":\(tensor.shape),\
            "data_offsets":[\(start),\(data.count)]}
            """)
    }
    // Padded as the reference writer does, so that data is aligned.
    let header = "{" + entries.joined(separator: ",") + "}"
    let padding = String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    return safetensors(header: header + padding, data: data)
}

/// Memory that holds a copy of `bytes`.
func memory(_ bytes: [UInt8]) -> HostMemory {
    HostMemory(byteCount: bytes.count) { $0.copyBytes(from: bytes) }
}

/// A source over the bytes of one safetensors file.
func source(_ bytes: [UInt8]) throws -> SafetensorsSource {
    try SafetensorsSource(file: "test", shards: [SafetensorsFile(file: "test", memory: memory(bytes))])
}
