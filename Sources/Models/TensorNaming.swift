internal import Weights

/// A tensor of a decoder. Raw values are the names in GGUF files; those after `layer` stand in a layer.
public enum TensorPart: String, Sendable, Hashable {
    case embedding = "token_embd"
    case positionEmbedding = "position_embd"
    case embeddingNorm = "token_embd_norm"
    case finalNorm = "output_norm"
    case output
    /// Divisors of the rotary frequencies, computed by GGUF's converter.
    case rotaryDivisors = "rope_freqs"
    case shortRotaryDivisors = "rope_factors_short"
    case longRotaryDivisors = "rope_factors_long"
    case perLayerEmbedding = "per_layer_token_embd"
    case perLayerProjection = "per_layer_model_proj"
    case perLayerProjectionNorm = "per_layer_proj_norm"

    // Tensors of a layer.
    case attentionNorm = "attn_norm"
    case query = "attn_q"
    case key = "attn_k"
    case value = "attn_v"
    case queryKeyValue = "attn_qkv"
    case attentionOutput = "attn_output"
    case queryNorm = "attn_q_norm"
    case keyNorm = "attn_k_norm"
    case attentionSinks = "attn_sinks"
    /// Latent attention: to the latent vector of queries, its norm, and from there to the heads.
    case queryDown = "attn_q_a"
    case queryDownNorm = "attn_q_a_norm"
    case queryUp = "attn_q_b"
    /// To the latent vector of keys and values and the rotated part of keys, its norm, and from there to the heads.
    case keyValueDown = "attn_kv_a_mqa"
    case keyValueDownNorm = "attn_kv_a_norm"
    case keyValueUp = "attn_kv_b"
    /// GGUF: the keys' part of `keyValueUp`, each head transposed, and the values'.
    case keyUp = "attn_k_b"
    case valueUp = "attn_v_b"
    case attentionPostNorm = "post_attention_norm"
    case feedForwardNorm = "ffn_norm"
    case gate = "ffn_gate"
    case up = "ffn_up"
    /// Gate and up in one matrix, gate first.
    case gateUp = "ffn_gate_up"
    case down = "ffn_down"
    case router = "ffn_gate_inp"
    /// Added to the scores of experts for the choice only.
    case choiceBias = "exp_probs_b"
    /// Of all experts: one tensor, or a tensor for each, with `*` for its number.
    case expertGate = "ffn_gate_exps"
    case expertUp = "ffn_up_exps"
    /// Gate and up of each expert in one matrix, gate first.
    case expertGateUp = "ffn_gate_up_exps"
    case expertDown = "ffn_down_exps"
    /// Factors on the router's input, and on the weight of each expert (Gemma 4).
    case routerScale = "ffn_gate_inp.scale"
    case expertFactors = "ffn_down_exps.scale"
    /// Of the experts that all tokens share.
    case sharedRouter = "ffn_gate_inp_shexp"
    case sharedGate = "ffn_gate_shexp"
    case sharedUp = "ffn_up_shexp"
    case sharedDown = "ffn_down_shexp"
    /// The module of an activation that has parameters.
    case activation = "ffn_act"
    case feedForwardPostNorm = "post_ffw_norm"
    /// After the MLP beside the experts, before and after the experts (Gemma 4).
    case densePostNorm = "post_ffw_norm_1"
    case expertNorm = "pre_ffw_norm_2"
    case expertPostNorm = "post_ffw_norm_2"
    /// A number that the output of a layer is multiplied with.
    case layerScale = "layer_output_scale"
    case perLayerGate = "inp_gate"
    case perLayerOutput = "proj"
    case perLayerNorm = "post_norm"

    /// Whether every layer has it.
    var isOfLayer: Bool {
        switch self {
        case .embedding, .positionEmbedding, .embeddingNorm, .finalNorm, .output, .rotaryDivisors, .shortRotaryDivisors,
            .longRotaryDivisors, .perLayerEmbedding, .perLayerProjection, .perLayerProjectionNorm:
            false
        default: true
        }
    }
}

/// The names of a family's tensors in Hugging Face checkpoints and in GGUF files.
///
/// A family states only what differs from Llama's names:
///
/// ```swift
/// TensorNaming([.queryNorm: "self_attn.q_norm", .keyNorm: "self_attn.k_norm"])
/// ```
public struct TensorNaming: Sendable, Hashable {
    private let huggingFace: [TensorPart: String]
    private let gguf: [TensorPart: String]
    /// Parts of Hugging Face checkpoints that are tensors of their own, without `.weight` in their names.
    private let tensors: Set<TensorPart>
    /// What stands before all names but the output matrix's.
    private var prefix: String
    private let layers: String
    private var outputPrefix = ""
    private var format = ModelMetadata.Format.huggingFace

    private static let llama: [TensorPart: String] = [
        .embedding: "embed_tokens", .finalNorm: "norm", .output: "lm_head",
        .attentionNorm: "input_layernorm", .query: "self_attn.q_proj", .key: "self_attn.k_proj",
        .value: "self_attn.v_proj", .attentionOutput: "self_attn.o_proj", .queryNorm: "self_attn.q_norm",
        .keyNorm: "self_attn.k_norm", .feedForwardNorm: "post_attention_layernorm", .gate: "mlp.gate_proj",
        .up: "mlp.up_proj", .down: "mlp.down_proj",
    ]

    /// The usual modules of latent attention.
    static let latentModules: [TensorPart: String] = [
        .queryDown: "self_attn.q_a_proj", .queryDownNorm: "self_attn.q_a_layernorm", .queryUp: "self_attn.q_b_proj",
        .keyValueDown: "self_attn.kv_a_proj_with_mqa", .keyValueDownNorm: "self_attn.kv_a_layernorm",
        .keyValueUp: "self_attn.kv_b_proj",
    ]

    /// The usual modules of experts, each expert by itself.
    static let expertModules: [TensorPart: String] = [
        .router: "mlp.gate", .expertGate: "mlp.experts.*.gate_proj", .expertUp: "mlp.experts.*.up_proj",
        .expertDown: "mlp.experts.*.down_proj", .sharedRouter: "mlp.shared_expert_gate",
        .sharedGate: "mlp.shared_expert.gate_proj", .sharedUp: "mlp.shared_expert.up_proj",
        .sharedDown: "mlp.shared_expert.down_proj",
    ]

    /// Llama's names, but for `huggingFace` and `gguf`, whose values come after the prefix and the layer. `tensors` are parts
    /// whose Hugging Face names are those of tensors, and not of modules with a weight.
    public init(
        _ huggingFace: [TensorPart: String] = [:], gguf: [TensorPart: String] = [:], prefix: String = "model.",
        layers: String = "layers.", tensors: Set<TensorPart> = []
    ) {
        self.tensors = tensors.union([.attentionSinks, .layerScale])
        self.huggingFace = Self.llama.merging(huggingFace) { $1 }
        self.gguf = gguf
        self.prefix = prefix
        self.layers = layers
    }

    /// The naming as `tensors` have it. Hugging Face checkpoints may lack the prefix, as those of the model without its
    /// output matrix, or have others before it, as the text models of multimodal checkpoints.
    func resolved(in model: ModelSource) -> TensorNaming {
        var naming = self
        naming.format = model.metadata.format
        guard naming.format == .huggingFace else { return naming }
        let table = name(.embedding)
        let candidates = [
            prefix, "", "language_model.\(prefix)", "model.language_model.", "language_model.", "text_model.",
            "model.text_model.", "model.language_model.model.",
        ]
        func has(_ prefix: String) -> Bool { model.has(prefix + table + ".weight") }
        if let found = candidates.first(where: has) { naming.prefix = found }
        let head = name(.output) + ".weight"
        if !model.has(head),
            let outer = ["language_model.", "model.", "text_model."].first(where: { model.has($0 + head) })
        {
            naming.outputPrefix = outer
        }
        return naming
    }

    /// Whether this format has a name for `part`.
    func has(_ part: TensorPart) -> Bool { format == .gguf || huggingFace[part] != nil }

    private func name(_ part: TensorPart) -> String {
        switch format {
        case .huggingFace: huggingFace[part] ?? part.rawValue
        case .gguf: gguf[part] ?? part.rawValue
        }
    }

    /// The module of `part`, of layer `layer` if it has one.
    func module(_ part: TensorPart, layer: Int = 0) -> String {
        switch format {
        case .huggingFace where part == .output: return outputPrefix + name(part)
        case .huggingFace: return prefix + (part.isOfLayer ? "\(layers)\(layer)." : "") + name(part)
        case .gguf: return (part.isOfLayer ? "blk.\(layer)." : "") + name(part)
        }
    }

    /// The weight of `part` of a layer in the other format; nil: it has none there, or is one of several tensors.
    func otherWeight(_ part: TensorPart, layer: Int) -> String? {
        guard part.isOfLayer else { return nil }
        var other = self
        other.format = format == .gguf ? .huggingFace : .gguf
        guard format == .huggingFace || huggingFace[part] != nil else { return nil }
        let name = other.weight(part, layer: layer)
        return name.contains("*") ? nil : name
    }

    /// The weight of `part`.
    func weight(_ part: TensorPart, layer: Int = 0) -> String {
        module(part, layer: layer) + (isTensor(part) ? "" : ".weight")
    }

    /// The bias of `part`.
    func bias(_ part: TensorPart, layer: Int = 0) -> String {
        module(part, layer: layer) + (isTensor(part) ? "_bias" : ".bias")
    }

    /// Whether the name of `part` is a tensor's, without `.weight`.
    private func isTensor(_ part: TensorPart) -> Bool {
        switch format {
        case .huggingFace: tensors.contains(part)
        case .gguf: part == .routerScale || part == .expertFactors
        }
    }
}
