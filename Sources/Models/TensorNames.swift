internal import Weights

/// The tensor names of a Llama-like decoder in Hugging Face checkpoints and in GGUF files.
struct TensorNames {
    let embedding: String
    let finalNorm: String
    let output: String
    /// Divisors of the rotary frequencies, computed by GGUF's converter; nil: the configuration has the formula.
    let rotaryDivisors: String?
    private let layerPrefix: String
    private let parts: [Part: String]

    /// A tensor of a layer.
    enum Part: Hashable {
        case attentionNorm, query, key, value, attentionOutput
        case feedForwardNorm, gate, up, down
    }

    init(_ format: ModelConfiguration.Format) {
        switch format {
        case .huggingFace:
            embedding = "model.embed_tokens.weight"
            finalNorm = "model.norm.weight"
            output = "lm_head.weight"
            rotaryDivisors = nil
            layerPrefix = "model.layers."
            parts = [
                .attentionNorm: "input_layernorm", .query: "self_attn.q_proj", .key: "self_attn.k_proj",
                .value: "self_attn.v_proj", .attentionOutput: "self_attn.o_proj",
                .feedForwardNorm: "post_attention_layernorm", .gate: "mlp.gate_proj", .up: "mlp.up_proj",
                .down: "mlp.down_proj",
            ]
        case .gguf:
            embedding = "token_embd.weight"
            finalNorm = "output_norm.weight"
            output = "output.weight"
            rotaryDivisors = "rope_freqs.weight"
            layerPrefix = "blk."
            parts = [
                .attentionNorm: "attn_norm", .query: "attn_q", .key: "attn_k", .value: "attn_v",
                .attentionOutput: "attn_output", .feedForwardNorm: "ffn_norm", .gate: "ffn_gate", .up: "ffn_up",
                .down: "ffn_down",
            ]
        }
    }

    /// The weight of `part` of layer `layer`.
    func weight(_ part: Part, layer: Int) -> String { name(part, layer) + ".weight" }

    /// The bias of `part` of layer `layer`.
    func bias(_ part: Part, layer: Int) -> String { name(part, layer) + ".bias" }

    private func name(_ part: Part, _ layer: Int) -> String {
        guard let name = parts[part] else { preconditionFailure("no name for \(part)") }
        return "\(layerPrefix)\(layer).\(name)"
    }
}
