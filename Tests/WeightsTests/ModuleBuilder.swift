import Tensors

@testable import Weights

/// A tensor of a test's checkpoint.
struct BuiltTensor {
    let name: String
    let type: String
    let shape: [Int]
    let bytes: [UInt8]

    static func words(_ name: String, _ shape: [Int], _ words: [UInt32]) -> BuiltTensor {
        BuiltTensor(name: name, type: "I32", shape: shape, bytes: words.flatMap { bytes(of: $0) })
    }

    static func halves(_ name: String, _ shape: [Int], _ values: [Float]) -> BuiltTensor {
        BuiltTensor(name: name, type: "F16", shape: shape, bytes: values.flatMap { bytes(of: Float16($0).bitPattern) })
    }

    private static func bytes(of value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}

/// A source of the given tensors, as one safetensors file.
func source(of tensors: [BuiltTensor]) throws -> SafetensorsSource {
    var data: [UInt8] = []
    let entries = tensors.map { tensor in
        defer { data += tensor.bytes }
        return """
            "\(tensor.name)":{"dtype":"\(tensor.type)","shape":\(tensor.shape),\
            "data_offsets":[\(data.count),\(data.count + tensor.bytes.count)]}
            """
    }
    return try source(safetensors(header: "{" + entries.joined(separator: ",") + "}", data: data))
}

/// A document with these members, like a configuration in config.json.
func quantization(_ members: String, in directory: TemporaryDirectory) throws -> QuantizationConfiguration {
    let file = try directory.write("{\"quantization_config\":{\(members)}}", to: "config.json")
    guard let configuration = try QuantizationConfiguration(JSONDocument(file: file), orFirstOf: []) else {
        throw WeightLoadingError.missingKey(file: file, key: "quantization_config", expected: "one")
    }
    return configuration
}
