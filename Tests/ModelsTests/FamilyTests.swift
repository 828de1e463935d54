import Backends
import Testing

@testable import Models
@testable import Weights

/// Which keys a family reads, as its classes in transformers 5.24, and which family a checkpoint is of.
@Suite struct FamilyTests {
    private static let mistral = ["model_type": #""mistral""#]

    @Test(arguments: [
        ("sliding_window", "4"), ("use_sliding_window", "true"), ("max_window_layers", "1"),
        ("layer_types", #"["sliding_attention","chunked_attention"]"#), ("partial_rotary_factor", "0.5"),
        ("partial_rotary_factor", "7"), ("sliding_window", "\"x\""),
        ("rope_parameters", #"{"rope_type":"default","partial_rotary_factor":0.5}"#),
        ("attn_logit_softcapping", "1.0"), ("final_logit_softcapping", "1.0"), ("logits_scaling", "8"),
        ("original_max_position_embeddings", "32"), ("rope_scaling", "{}"), ("num_experts", "8"),
        ("rotary_pct", "0.25"), ("hidden_activation", #""gelu""#), ("qk_layernorm", "true"),
        ("hidden_act", #""swish""#), ("huge", "123456789012345678901234567890"),
    ])
    func `Llama ignores keys that its class does not read`(key: String, value: String) throws {
        #expect(try encode([key: value]).operations == (try encode([:]).operations))
    }

    /// llama.cpp's `llama` has no window and always uses SiLU.
    @Test func `keys of other architectures change nothing in GGUF files`() throws {
        let foreign: [String: GGUFValue] = [
            "attention.sliding_window": .integer(4), "hidden_activation": .string("gelu"), "logit_scale": .number(8),
            "attn_logit_softcapping": .number(1),
        ]
        #expect(try encode(try tinyGGUF(foreign)).operations == (try encode(try tinyGGUF()).operations))
    }

    @Test func `Mistral has a window and no biases`() throws {
        func windows(_ changes: [String: String]) throws -> [Int?] {
            try encode(Self.mistral.merging(changes) { $1 }).windows
        }
        // An absent key means the default of the class; null means no window.
        #expect(try windows([:]) == [4096, 4096])
        #expect(try windows(["sliding_window": "null"]) == [nil, nil])
        #expect(try windows(["sliding_window": "4", "use_sliding_window": "false"]) == [4, 4])
        #expect(
            try windows(["sliding_window": "4", "layer_types": #"["sliding_attention","full_attention"]"#])
                == [4, nil])
        #expect(
            try encode(Self.mistral.merging(["attention_bias": "true"]) { $1 }).operations
                == (try encode(Self.mistral).operations))
    }

    @Test(arguments: [
        (#"["full_attention","linear_attention"]"#, "layer_types linear_attention is not supported yet"),
        (#"["full_attention"]"#, "layer_types must be 2 elements, one a layer, found 1"),
    ])
    func `kinds of layers that cannot be used are named`(types: String, words: String) throws {
        let error = #expect(throws: WeightLoadingError.self) {
            try encode(Self.mistral.merging(["layer_types": types]) { $1 })
        }
        #expect(try #require(error).description.contains(words))
    }

    @Test func `Qwen's window is off unless the configuration turns it on`() throws {
        let qwen = ["model_type": #""qwen3""#, "sliding_window": "4", "max_window_layers": "1"]
        #expect(try encode(qwen).windows == [nil, nil])
        #expect(try encode(qwen.merging(["use_sliding_window": "true"]) { $1 }).windows == [nil, 4])
    }

    @Test func `every sixth layer of Gemma 3 sees all positions and turns slower`() throws {
        let plan = try encode([
            "model_type": #""gemma3_text""#, "num_hidden_layers": "12", "sliding_window": "4", "rope_theta": "100",
            "rope_local_base_freq": "7",
        ])
        #expect(plan.windows == Array(repeating: [4, 4, 4, 4, 4, nil], count: 2).flatMap { $0 })
        let bases = plan.rotations.map { 1 / Double($0.frequencies[1] * $0.frequencies[1]) }
        for (index, base) in bases.enumerated() {
            #expect(abs(base - (index / 2 % 6 == 5 ? 100 : 7)) < 1e-3)
        }
    }

    @Test func `a GGUF file states its sliding layers as a list or as a period`() throws {
        func windows(_ pattern: GGUFValue) throws -> [Int?] {
            try encode(
                try tinyGGUF(
                    ["attention.sliding_window": .integer(4), "attention.sliding_window_pattern": pattern],
                    architecture: "gemma3")
            ).windows
        }
        #expect(try windows(.bools([false, true])) == [nil, 4])
        #expect(try windows(.integers([1, 0])) == [4, nil])
        #expect(try windows(.integer(2)) == [4, nil])
        // As in llama.cpp: every layer sees all positions, and every layer slides.
        #expect(try windows(.integer(1)) == [nil, nil] && windows(.integer(0)) == [4, 4])
        for wrong in [GGUFValue.bools([true]), .integers([]), .string("x"), .integer(-1), .number(0.5)] {
            let error = #expect(throws: WeightLoadingError.self) { try windows(wrong) }
            #expect(try #require(error).description.contains("gemma3.attention.sliding_window_pattern"))
        }
    }

    private static let deepseek = [
        "model_type": #""deepseek_v2""#, "q_lora_rank": "null", "kv_lora_rank": "8", "qk_nope_head_dim": "4",
        "qk_rope_head_dim": "2", "v_head_dim": "3", "n_routed_experts": "4", "num_experts_per_tok": "2",
        "moe_intermediate_size": "8", "n_group": "2", "topk_group": "1",
    ]

    @Test func `DeepSeek's heads have keys of two parts, and zeros behind the values`() throws {
        let plan = try encode(Self.deepseek)
        #expect(plan.cacheLayers.allSatisfy { $0.keyValueHeadCount == 4 && $0.headSize == 6 })
        // The whole head of a query in which only the first two numbers turn, and the part of the keys that all heads share.
        #expect(plan.rotations.allSatisfy { $0.frequencies.count == 1 && $0.pairing == .interleaved })
        let outputs = plan.operations.compactMap { operation in
            if case .concatHeads(_, _, _, let output) = operation { plan[output].width } else { nil }
        }
        #expect(outputs.prefix(3) == [24, 24, 12])
    }

    @Test(arguments: [
        ("greedy", nil, false), ("group_limited_greedy", 1, false), ("noaux_tc", 2, true),
    ])
    func `DeepSeek-V2 chooses from groups as its method says`(method: String, scoreCount: Int?, isBiased: Bool) throws {
        let plan = try encode(
            Self.deepseek.merging(["topk_method": "\"\(method)\""]) { $1 },
            OnesLoader(has: { !$0.contains("rope_") && !$0.contains("qkv") }))
        for case .route(_, let bias, _, let routing, _) in plan.operations {
            #expect(routing.groups?.scoreCount == scoreCount && (bias != nil) == isBiased)
        }
        let error = #expect(throws: WeightLoadingError.self) {
            try encode(Self.deepseek.merging(["topk_method": #""dice""#]) { $1 })
        }
        #expect(try #require(error).description.contains("topk_method dice is not supported"))
    }

    @Test func `an absent key has the default of the class`() throws {
        func cache(_ changes: [String: String]) throws -> Int? {
            try encode(changes.merging(["num_attention_heads": "16"]) { $1 }).cacheLayers.first?.keyValueHeadCount
        }
        #expect(try cache(["num_key_value_heads": ""]) == 16)
        #expect(try cache(Self.mistral.merging(["num_key_value_heads": ""]) { $1 }) == 8)
        #expect(try cache(Self.mistral.merging(["num_key_value_heads": "null"]) { $1 }) == 16)
    }

    @Test(arguments: [
        "null", "[]", #""LlamaForCausalLM""#, #"["LlamaModel"]"#, #"["LLaMAForCausalLM"]"#, #"["Qwen2ForCausalLM"]"#,
        "", "7",
    ])
    func `the model type has precedence over the architectures`(architectures: String) throws {
        #expect(try metadata(tinyConfig(["architectures": architectures])).family.name == "llama")
        let mistral = Self.mistral.merging(["architectures": architectures]) { $1 }
        #expect(try metadata(tinyConfig(mistral)).family.name == "mistral")
    }

    @Test func `the class decides where there is no model type`() throws {
        let found = try metadata(tinyConfig(["model_type": "", "architectures": #"["Qwen3ForCausalLM"]"#]))
        #expect(found.family.name == "qwen3")
    }

    @Test func `the text part of a multimodal model is read`() throws {
        let found = try metadata(
            """
            {"architectures":["Gemma3ForConditionalGeneration"],"model_type":"gemma3","tie_word_embeddings":false,
             "text_config":{"model_type":"gemma3_text","hidden_size":64,"head_dim":null}}
            """)
        #expect(found.family.name == "gemma3_text")
        #expect(try found.size("hidden_size") == 64 && found.bool("tie_word_embeddings") == false)
        // Null is no absent key, which would have the class's default.
        #expect(try found.integer("head_dim") == nil && found.integer("num_hidden_layers") == 26)
    }

    @Test(arguments: [
        (#"{"model_type":"qwen9","architectures":["Qwen9ForCausalLM"]}"#, "model_type qwen9 is not supported yet"),
        (#"{"architectures":["BloomForCausalLM"]}"#, "architecture BloomForCausalLM is not supported yet"),
        // A class of another family does not make it one of ours.
        (#"{"model_type":"other","architectures":["LlamaForCausalLM"]}"#, "model_type other is not supported yet"),
        (
            #"{"model_type":"dbrx","hidden_size":"x"}"#,
            "model_type dbrx (its layers have experts of another kind) is not supported"
        ),
        (#"{"model_type":"mamba2"}"#, "model_type mamba2 (it has recurrent layers) is not supported yet"),
        (
            #"{"model_type":"some_vl","text_config":{"model_type":"hunyuan_v1_moe"}}"#,
            "model_type hunyuan_v1_moe (its layers have experts of another kind) is not supported yet"
        ),
        (#"{"architectures":[]}"#, "key architectures must be a list of one architecture name"),
        ("{}", "key architectures is missing"),
    ])
    func `an unknown family is named with the known ones, before any size is read`(config: String, words: String) throws
    {
        let error = #expect(throws: WeightLoadingError.self) { try metadata(config) }
        let description = try #require(error).description
        #expect(description.contains(words), "\(description)")
        #expect(!description.contains("did you mean"))
        if description.contains("supported:") {
            #expect(description.contains("llama") && description.contains("qwen3"))
        }
    }

    @Test func `names are not used twice`() {
        let families = ModelArchitectures.builtin.map(\.family)
        for names in [families.flatMap(\.modelTypes), families.flatMap(\.classes), families.flatMap(\.gguf)] {
            #expect(Set(names).count == names.count)
        }
        let known = Set(families.flatMap { $0.modelTypes + $0.gguf })
        #expect(known.isDisjoint(with: ModelFamilies.unsupported.keys))
    }
}
