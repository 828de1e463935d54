import Backends
import Tensors
import Weights

/// A configuration with two layers and four query heads of size four.
func tinyConfiguration(_ format: ModelConfiguration.Format) -> ModelConfiguration {
    ModelConfiguration(
        file: "memory", format: format, architecture: format == .gguf ? "llama" : "LlamaForCausalLM", hiddenSize: 8,
        intermediateSize: 12, layerCount: 2, headCount: 4, keyValueHeadCount: 2, headSize: 4, vocabularySize: 10,
        normEpsilon: 0.25, rotary: RotaryConfiguration(theta: 10_000, rotarySize: 4), maxPositionCount: 64,
        tieWordEmbeddings: false)
}

/// A source of tensors in memory.
struct TensorsInMemory: TensorSource {
    var tensors: [String: (values: [Float], shape: [Int])] = [:]

    var file: String { "memory" }
    var tensorNames: [String] { tensors.keys.sorted() }
    var byteCount: Int { tensors.values.reduce(0) { $0 + $1.values.count * 4 } }
    func shape(of name: String) -> [Int]? { tensors[name]?.shape }

    func tensor(named name: String) throws(WeightLoadingError) -> StoredTensor {
        guard let tensor = tensors[name] else { throw .missingTensor(file: file, tensor: name) }
        let memory = HostMemory(byteCount: tensor.values.count * 4) { target in
            tensor.values.withUnsafeBytes { target.copyMemory(from: $0) }
        }
        return StoredTensor(file: file, name: name, type: .f32, shape: tensor.shape, memory: memory)
    }

    /// A source with all tensors of `configuration`, filled with ones.
    static func complete(_ configuration: ModelConfiguration) -> TensorsInMemory {
        var source = TensorsInMemory()
        func add(_ name: String, _ shape: [Int]) {
            source.tensors[name] = ([Float](repeating: 1, count: shape.reduce(1, *)), shape)
        }
        let gguf = configuration.format == .gguf
        let hidden = configuration.hiddenSize
        let query = configuration.headCount * configuration.headSize
        let keyValue = configuration.keyValueHeadCount * configuration.headSize
        let inner = configuration.intermediateSize
        add(gguf ? "token_embd.weight" : "model.embed_tokens.weight", [configuration.vocabularySize, hidden])
        add(gguf ? "output_norm.weight" : "model.norm.weight", [hidden])
        if !configuration.tieWordEmbeddings {
            add(gguf ? "output.weight" : "lm_head.weight", [configuration.vocabularySize, hidden])
        }
        let parts: [(huggingFace: String, gguf: String, rows: Int, columns: Int, isBiased: Bool)] = [
            ("self_attn.q_proj", "attn_q", query, hidden, configuration.attentionBias),
            ("self_attn.k_proj", "attn_k", keyValue, hidden, configuration.attentionBias),
            ("self_attn.v_proj", "attn_v", keyValue, hidden, configuration.attentionBias),
            ("self_attn.o_proj", "attn_output", hidden, query, configuration.attentionBias),
            ("mlp.gate_proj", "ffn_gate", inner, hidden, configuration.mlpBias),
            ("mlp.up_proj", "ffn_up", inner, hidden, configuration.mlpBias),
            ("mlp.down_proj", "ffn_down", hidden, inner, configuration.mlpBias),
        ]
        for layer in 0..<configuration.layerCount {
            let prefix = gguf ? "blk.\(layer)." : "model.layers.\(layer)."
            add(prefix + (gguf ? "attn_norm" : "input_layernorm") + ".weight", [hidden])
            add(prefix + (gguf ? "ffn_norm" : "post_attention_layernorm") + ".weight", [hidden])
            for part in parts {
                let name = prefix + (gguf ? part.gguf : part.huggingFace)
                add(name + ".weight", [part.rows, part.columns])
                if part.isBiased { add(name + ".bias", [part.rows]) }
            }
        }
        return source
    }
}
