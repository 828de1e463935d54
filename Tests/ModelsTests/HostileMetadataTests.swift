import Backends
import Models
import Tensors
import Testing

@testable import Weights

/// Facts that no model has: every family answers with an error, whatever stands under any key that some family reads.
@Suite struct HostileMetadataTests {
    /// A model of ones. Matrices that are too large are refused, as a file would not have them.
    private struct SmallFilesOnly: WeightLoader {
        private let ones = OnesLoader(has: { !$0.contains("rope_") })

        func linear(
            _ name: String, inputSize: Int, outputSize: Int, from source: any TensorSource
        ) throws(WeightLoadingError) -> LinearWeights {
            guard inputSize <= 1 << 14, outputSize <= 1 << 14, inputSize * outputSize <= 1 << 20 else {
                throw .shapeMismatch(
                    file: source.file, tensor: name, expected: [outputSize, inputSize], found: [8, 8])
            }
            return try ones.linear(name, inputSize: inputSize, outputSize: outputSize, from: source)
        }

        func vector(_ name: String, count: Int, from source: any TensorSource) throws(WeightLoadingError) -> [Float] {
            guard count <= 1 << 20 else {
                throw .shapeMismatch(file: source.file, tensor: name, expected: [count], found: [8])
            }
            return try ones.vector(name, count: count, from: source)
        }

        func has(_ name: String, in source: any TensorSource) -> Bool { ones.has(name, in: source) }
    }

    private func encode(_ metadata: ModelMetadata) throws {
        let known = try #require(ModelArchitectures.builtin.first { $0.family.name == metadata.family.name })
        _ = try known.encode(
            ModelSource(
                metadata: metadata, shape: ModelShape(vocabularySize: 10, maxPositionCount: 64), tensors: NoTensors(),
                loader: SmallFilesOnly()))
    }

    /// What a family needs beside the keys of `tinyConfig`.
    private static func base(_ modelType: String) -> [String: String] {
        var keys = ["model_type": "\"\(modelType)\"", "head_dim": "16"]
        switch modelType {
        case "apertus": keys["hidden_act"] = #""xielu""#
        case "granitemoehybrid":
            keys.merge([
                "num_local_experts": "0", "shared_intermediate_size": "12",
                "layer_types": #"["attention","attention"]"#,
            ]) { $1 }
        case "deepseek_v2", "deepseek_v3", "kimi_k2", "glm4_moe_lite":
            keys.merge([
                "q_lora_rank": "8", "kv_lora_rank": "8", "qk_nope_head_dim": "4", "qk_rope_head_dim": "4",
                "v_head_dim": "4", "n_routed_experts": "4", "num_experts_per_tok": "2", "moe_intermediate_size": "8",
                "first_k_dense_replace": "1", "n_group": "2", "topk_group": "1",
            ]) { $1 }
        default: break
        }
        return keys
    }

    /// An eighth of `values`, another one for each family and key: all together would take a minute.
    private static func share<Value>(of values: [Value], _ family: String, _ key: Int) -> [Value] {
        let turn = family.utf8.reduce(key) { $0 + Int($1) }
        return values.indices.filter { ($0 + turn) % 8 == 0 }.map { values[$0] }
    }

    private static let keys = [
        "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
        "head_dim", "rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "hidden_act",
        "hidden_activation", "activation_function", "tie_word_embeddings", "max_position_embeddings", "sliding_window",
        "layer_types", "use_sliding_window", "max_window_layers", "sliding_window_pattern", "rope_theta",
        "rope_parameters", "rope_scaling", "partial_rotary_factor", "original_max_position_embeddings", "rotary_pct",
        "rotary_emb_base", "rope_local_base_freq", "attention_bias", "mlp_bias", "use_bias", "use_qkv_bias",
        "attention_out_bias", "qk_layernorm", "use_qk_norm", "use_parallel_residual", "query_pre_attn_scalar",
        "attn_logit_softcapping", "final_logit_softcapping", "embedding_multiplier", "residual_multiplier",
        "attention_multiplier", "logits_scaling", "logit_scale", "scale_emb", "scale_depth", "dim_model_base",
        "num_kv_shared_layers", "hidden_size_per_layer_input", "vocab_size_per_layer_input", "global_head_dim",
        "num_global_key_value_heads", "per_layer_config", "use_double_wide_mlp", "no_rope_layers",
        "no_rope_layer_interval", "position_embedding_type", "num_local_experts", "shared_intermediate_size",
        "llama_4_scaling_beta", "n_embd", "n_head", "n_layer", "n_inner", "n_positions", "clip_qkv",
        "scale_attn_weights", "num_experts", "num_experts_per_tok", "moe_intermediate_size",
        "shared_expert_intermediate_size", "norm_topk_prob", "decoder_sparse_step", "mlp_only_layers",
        "n_routed_experts", "n_group", "topk_group", "first_k_dense_replace", "n_shared_experts",
        "routed_scaling_factor", "moe_num_experts", "moe_k", "moe_num_shared_experts", "moe_layer_start_index",
        "moe_layer_end_index", "moe_layer_interval", "swiglu_limit", "swiglu_alpha", "router_jitter_noise",
        "lm_head_bias",
        "enable_moe_block", "top_k_experts",
        "q_lora_rank", "kv_lora_rank", "qk_nope_head_dim",
        "qk_rope_head_dim", "v_head_dim", "rope_interleave", "topk_method", "scoring_func", "moe_layer_freq",
        "mlp_layer_types",
    ]

    private static let values = [
        "", "null", "0", "-1", "1", "3", "-0.5", "1e308", "1e-320", "NaN", "1e999", "2147483648", "4611686018427387904",
        "123456789012345678901234567890", "true", #""x""#, "[]", "[1]", #"["full_attention","sliding_attention"]"#,
        "[null,null]", "{}", #"{"x":1}"#, #"{"rope_type":"yarn","factor":0}"#,
        #"{"rope_type":"yarn","factor":1e308,"original_max_position_embeddings":1}"#,
        #"{"rope_type":"yarn","beta_fast":1e-300,"beta_slow":1e300,"original_max_position_embeddings":4}"#,
        #"{"rope_type":"dynamic","factor":1e300}"#, #"{"rope_type":"dynamic","alpha":1e300}"#,
        #"{"rope_type":"llama3","factor":8,"low_freq_factor":1e-300,"high_freq_factor":1e300}"#,
        #"{"rope_type":"longrope","short_factor":[1],"long_factor":[1]}"#,
        #"{"rope_type":"longrope","short_factor":[1,1],"long_factor":[1,1],"original_max_position_embeddings":1}"#,
        #"{"rope_type":"proportional","factor":1e-300,"partial_rotary_factor":1e-9}"#,
        #"{"0":{"head_dim":4611686018427387904,"num_key_value_heads":0}}"#,
        #"{"full_attention":{"rope_type":7},"sliding_attention":[]}"#,
    ]

    @Test(arguments: ModelArchitectures.builtin.flatMap(\.family.modelTypes))
    func `any value of any key of config.json is read or named in an error`(modelType: String) throws {
        let base = Self.base(modelType)
        try encode(try metadata(tinyConfig(base)))
        for (number, key) in Self.keys.enumerated() {
            for value in Self.share(of: Self.values, modelType, number) {
                do { try encode(try metadata(tinyConfig(base.merging([key: value]) { $1 }))) } catch {
                    let error = try #require(error as? WeightLoadingError, "\(key): \(value)")
                    let description = error.description
                    #expect(description.contains("config.json: ") || description.contains("tensor "), "\(description)")
                }
            }
        }
    }

    private static let ggufKeys = [
        "embedding_length", "feed_forward_length", "block_count", "attention.head_count", "attention.head_count_kv",
        "attention.key_length", "attention.value_length", "attention.key_length_swa", "context_length",
        "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon", "attention.sliding_window",
        "attention.sliding_window_pattern", "attention.shared_kv_layers", "embedding_length_per_layer_input",
        "rope.dimension_count", "rope.freq_base", "rope.freq_base_swa", "rope.scaling.type", "rope.scaling.factor",
        "rope.scaling.original_context_length", "rope.scaling.attn_factor", "rope.scaling.yarn_log_multiplier",
        "rope.scaling.finetuned", "attention.scale", "embedding_scale", "residual_scale", "logit_scale",
        "attn_logit_softcapping", "final_logit_softcapping", "attention.temperature_scale", "use_parallel_residual",
        "expert_count", "attention.clamp_kqv", "expert_used_count", "expert_feed_forward_length",
        "expert_shared_feed_forward_length", "expert_shared_count", "leading_dense_block_count",
        "nextn_predict_layers", "expert_weights_scale", "expert_weights_norm", "expert_group_count",
        "expert_group_used_count", "interleave_moe_layer_step", "expert_gating_func", "attention.q_lora_rank",
        "attention.kv_lora_rank", "attention.key_length_mla", "attention.value_length_mla",
    ]

    private static let ggufValues: [GGUFValue?] = [
        nil, .integer(0), .integer(-1), .integer(3), .integer(1 << 31), .integer(.max), .unsigned(.max), .number(-0.5),
        .number(1e308), .number(.nan), .number(.infinity), .bool(false), .string("x"), .string("yarn"), .invalidString,
        .integers([]), .integers([1, 1]), .integers([.max, .min]), .numbers([]), .numbers([.nan]), .bools([true]),
        .strings(["x"]),
    ]

    @Test(arguments: ModelArchitectures.builtin.flatMap(\.family.gguf))
    func `any value of any key of a GGUF file is read or named in an error`(architecture: String) throws {
        var base: [String: GGUFValue] = [
            "attention.key_length": .integer(16), "attention.value_length": .integer(16),
            "attention.layer_norm_epsilon": .number(1e-5),
        ]
        if architecture == "deepseek2" {
            base.merge([
                "attention.q_lora_rank": .integer(8), "attention.kv_lora_rank": .integer(8),
                "rope.dimension_count": .integer(4), "expert_count": .integer(4), "expert_used_count": .integer(2),
                "expert_feed_forward_length": .integer(8),
            ]) { $1 }
            try encode(try tinyGGUF(base, architecture: architecture))
        }
        for (number, key) in Self.ggufKeys.enumerated() {
            for value in Self.share(of: Self.ggufValues, architecture, number) {
                let changed = value.map { value in base.merging([key: value]) { $1 } } ?? base
                let removed = value == nil ? key : nil
                do { try encode(try tinyGGUF(changed, without: removed, architecture: architecture)) } catch {
                    let error = try #require(error as? WeightLoadingError, "\(key)")
                    let description = error.description
                    #expect(description.contains("model.gguf: ") || description.contains("tensor "), "\(description)")
                }
            }
        }
    }
}
