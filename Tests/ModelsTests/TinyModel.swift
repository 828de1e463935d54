import Backends
import JSON
import Models
import Tensors

@testable import Weights

/// The facts of a `config.json`, read by the family that it names.
func metadata(_ config: String) throws -> ModelMetadata {
    let document = JSONDocument(try JSONParser.parse(Array(config.utf8), options: .configurations), file: "config.json")
    let (family, text) = try ModelArchitectures.families.family(of: document)
    return try ModelMetadata(text, outer: document, family: family)
}

/// The keys of a Llama with two layers and four query heads of size four; `changes` replaces values, an empty text removes a
/// key.
func tinyConfig(_ changes: [String: String] = [:]) -> String {
    var keys = [
        "model_type": #""llama""#, "hidden_size": "8", "intermediate_size": "12", "num_hidden_layers": "2",
        "num_attention_heads": "4", "num_key_value_heads": "2", "head_dim": "4", "vocab_size": "10",
        "max_position_embeddings": "64", "rms_norm_eps": "0.25", "hidden_act": #""silu""#,
        "tie_word_embeddings": "false",
    ]
    for (key, value) in changes { keys[key] = value.isEmpty ? nil : value }
    return "{" + keys.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
}

/// The metadata of the same model as a GGUF file; `changes` replaces values, and the key `removed` is left out.
func tinyGGUF(
    _ changes: [String: GGUFValue] = [:], without removed: String? = nil, architecture: String = "llama"
) throws -> ModelMetadata {
    var values: [String: GGUFValue] = [
        "embedding_length": .integer(8), "feed_forward_length": .integer(12), "block_count": .integer(2),
        "attention.head_count": .integer(4), "attention.head_count_kv": .integer(2),
        "attention.key_length": .integer(4), "attention.value_length": .integer(4), "context_length": .integer(64),
        "attention.layer_norm_rms_epsilon": .number(0.25),
    ]
    for (key, value) in changes { values[key] = value }
    if let removed { values[removed] = nil }
    let keys = Dictionary(uniqueKeysWithValues: values.map { ("\(architecture).\($0.key)", $0.value) })
    return ModelMetadata(
        GGUFMetadata(file: "model.gguf", values: keys), architecture: architecture,
        family: try ModelArchitectures.families.family(ofGGUF: architecture, file: "model.gguf"))
}

/// Loads a matrix or vector of ones of whatever size is asked for, if the model has it.
struct OnesLoader: WeightLoader {
    /// Whether the checkpoint has the tensor.
    var has: @Sendable (String) -> Bool = { !$0.hasSuffix(".bias") && !$0.contains("qkv") && !$0.contains("rope_") }
    /// Matrices and vectors of other numbers.
    var matrices: [String: LinearWeights] = [:]
    var vectors: [String: [Float]] = [:]

    func linear(
        _ name: String, inputSize: Int, outputSize: Int, from source: any TensorSource
    ) throws(WeightLoadingError) -> LinearWeights {
        if let matrix = matrices[name] { return matrix }
        guard has(name) else { throw .missingTensor(file: source.file, tensor: name) }
        return .dense(HostTensor(Array(repeating: 1, count: inputSize * outputSize), shape: [outputSize, inputSize]))
    }

    func vector(_ name: String, count: Int, from source: any TensorSource) throws(WeightLoadingError) -> [Float] {
        if let vector = vectors[name] { return vector }
        guard has(name) else { throw .missingTensor(file: source.file, tensor: name) }
        return Array(repeating: 1, count: count)
    }

    func has(_ name: String, in source: any TensorSource) -> Bool { vectors[name] != nil || has(name) }
}

/// A source without tensors.
struct NoTensors: TensorSource {
    var file: String { "memory" }
    var tensorNames: [String] { [] }
    var byteCount: Int { 0 }
    func shape(of name: String) -> [Int]? { nil }
    func tensor(named name: String) throws(WeightLoadingError) -> StoredTensor {
        throw .missingTensor(file: file, tensor: name)
    }
}

/// The plan of a model whose weights are ones.
func encode(
    _ metadata: ModelMetadata, _ loader: OnesLoader = OnesLoader(), contextLength: Int? = nil
) throws -> ForwardPlan {
    let known = ModelArchitectures.builtin.first { $0.family.name == metadata.family.name }
    guard let known else { throw WeightLoadingError.unreadable(file: metadata.file, reason: "no architecture") }
    return try known.encode(
        ModelSource(
            metadata: metadata, shape: ModelShape(vocabularySize: 10, maxPositionCount: 64), tensors: NoTensors(),
            loader: loader, contextLength: contextLength))
}

/// The plan of `tinyConfig` with changed keys.
func encode(_ changes: [String: String], _ loader: OnesLoader = OnesLoader()) throws -> ForwardPlan {
    try encode(try metadata(tinyConfig(changes)), loader)
}

extension ForwardPlan {
    /// The window of each attention.
    var windows: [Int?] {
        operations.compactMap { operation in
            if case .pagedAttention(_, _, let shape, _) = operation { .some(shape.slidingWindow) } else { nil }
        }
    }

    /// Every rotation.
    var rotations: [RotaryEmbedding] {
        operations.compactMap { operation in
            if case .rotaryEmbedding(_, _, let rotary, _) = operation { rotary } else { nil }
        }
    }
}
