import Backends
import FoundationEssentials
import Tensors
import Weights

@testable import Adapters

/// A tensor to write.
struct WrittenTensor {
    var name: String
    var shape: [Int]
    var values: [Float]
    var type = ElementType.f32

    init(_ name: String, _ shape: [Int], _ values: [Float]? = nil, as type: ElementType = .f32) {
        self.name = name
        self.shape = shape
        self.values = values ?? (0..<shape.reduce(1, *)).map { Float($0) }
        self.type = type
    }

    var bytes: [UInt8] { HostTensor(values, shape: shape, as: type).withUnsafeBytes { Array($0) } }
}

/// The two matrices of a module in PEFT's names.
func pair(_ module: String, rank: Int = 2, inputSize: Int = 3, outputSize: Int = 4) -> [WrittenTensor] {
    [
        WrittenTensor("base_model.model.\(module).lora_A.weight", [rank, inputSize]),
        WrittenTensor("base_model.model.\(module).lora_B.weight", [outputSize, rank]),
    ]
}

/// The bytes of a safetensors file. `typeName` replaces the types' names.
func safetensors(_ tensors: [WrittenTensor], typeName: String? = nil) -> [UInt8] {
    var entries: [String] = []
    var data: [UInt8] = []
    for tensor in tensors {
        let start = data.count
        data += tensor.bytes
        let type = typeName ?? tensor.type.rawValue.uppercased()
        entries.append(
            "\"\(tensor.name)\":{\"dtype\":\"\(type)\",\"shape\":\(tensor.shape),"
                + "\"data_offsets\":[\(start),\(data.count)]}")
    }
    let header = Array("{\(entries.joined(separator: ","))}".utf8)
    return little(UInt64(header.count)) + header + data
}

/// The bytes of a GGUF file of 32-bit floats, with metadata of texts, numbers and nothing else.
func gguf(texts: [(String, String)], numbers: [(String, Float)], _ tensors: [WrittenTensor]) -> [UInt8] {
    func text(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }
    var header = Array("GGUF".utf8) + little(UInt32(3)) + little(UInt64(tensors.count))
    header += little(UInt64(texts.count + numbers.count))
    for (key, value) in texts { header += text(key) + little(UInt32(8)) + text(value) }
    for (key, value) in numbers { header += text(key) + little(UInt32(6)) + little(value.bitPattern) }
    var data: [UInt8] = []
    for tensor in tensors {
        data += [UInt8](repeating: 0, count: (32 - data.count % 32) % 32)
        header += text(tensor.name) + little(UInt32(tensor.shape.count))
        for extent in tensor.shape.reversed() { header += little(UInt64(extent)) }
        header += little(UInt32(0)) + little(UInt64(data.count))
        data += tensor.bytes
    }
    return header + [UInt8](repeating: 0, count: (32 - header.count % 32) % 32) + data
}

private func little(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

extension TemporaryDirectory {
    /// Writes an adapter in PEFT's format and returns the directory. `config` is the members of its configuration.
    func peft(_ config: String = "\"r\": 2, \"lora_alpha\": 4", _ tensors: [WrittenTensor]) throws -> String {
        try write("{\"peft_type\": \"LORA\", \(config)}", to: "adapter_config.json")
        try write(safetensors(tensors), to: "adapter_model.safetensors")
        return path
    }
}

/// A model whose modules are `[4, 3]`, under the names `names`, and the sets that hold their matrices.
struct ServedModules {
    var modules: [AdapterModule] = []
    private var plan = ForwardPlan()

    /// A new set, `[outputSize, inputSize]`.
    private mutating func set(_ outputSize: Int, _ inputSize: Int) -> MatrixSetID {
        let matrix = LinearWeights.dense(
            HostTensor(Array(repeating: 0, count: outputSize * inputSize), shape: [outputSize, inputSize]))
        return plan.addMatrixSet("set", [matrix])
    }

    mutating func add(
        _ name: String, gguf: String? = nil, rowOrder: [Int]? = nil, rows: [Range<Int>]? = nil, outputSize: Int = 4
    ) {
        var names = [ModelMetadata.Format.huggingFace: AdapterModule.Name(name)]
        if let gguf { names[.gguf] = AdapterModule.Name(gguf, rowOrder: rowOrder) }
        modules.append(
            AdapterModule(
                names: names, rows: rows, inputSize: 3, outputSize: outputSize, down: set(4, 3), up: set(outputSize, 4))
        )
    }
}
