import Testing

@testable import Weights

/// Which keys of `config.json` a family reads, as its classes in transformers 5.24.
@Suite struct ConfigurationFamilyTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write(safetensors([("model.norm.weight", [1, 1], [2])]), to: "model.safetensors")
    }

    /// A configuration with some keys replaced; an empty text removes the key.
    private func open(
        _ changes: [String: String] = [:], architectures: [String]? = nil
    ) throws -> ModelConfiguration {
        var keys = [
            "architectures": #"["LlamaForCausalLM"]"#, "model_type": #""llama""#, "hidden_size": "64",
            "intermediate_size": "96", "num_hidden_layers": "2", "num_attention_heads": "8",
            "num_key_value_heads": "2", "vocab_size": "32", "max_position_embeddings": "128", "rms_norm_eps": "1e-05",
            "hidden_act": #""silu""#,
        ]
        for (key, value) in changes { keys[key] = value.isEmpty ? nil : value }
        try directory.write(
            "{" + keys.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}", to: "config.json")
        return try Checkpoint(path: directory.path, architectures: architectures).configuration
    }

    private func refusal(_ changes: [String: String], architectures: [String]? = nil) throws -> String {
        let error = #expect(throws: WeightLoadingError.self) { try open(changes, architectures: architectures) }
        return try #require(error).description
    }

    private static let mistral = ["model_type": #""mistral""#, "architectures": #"["MistralForCausalLM"]"#]

    @Test(arguments: [
        ("sliding_window", "4"), ("use_sliding_window", "true"), ("max_window_layers", "1"),
        ("layer_types", #"["sliding_attention","chunked_attention"]"#), ("partial_rotary_factor", "0.5"),
        ("partial_rotary_factor", "7"), ("partial_rotary_factor", "\"half\""), ("sliding_window", "\"x\""),
        ("rope_parameters", #"{"rope_type":"default","partial_rotary_factor":0.5}"#),
        ("attn_logit_softcapping", "1.0"), ("final_logit_softcapping", "1.0"), ("logits_scaling", "8"),
        ("original_max_position_embeddings", "32"), ("rope_scaling", "{}"), ("num_experts", "8"),
        ("rotary_pct", "0.25"), ("hidden_activation", #""gelu""#), ("qk_layernorm", "true"),
        ("hidden_act", #""swish""#),
        ("huge", "123456789012345678901234567890"), ("eos_token_id", "-1"), ("eos_token_id", "[-1]"),
    ])
    func `Llama ignores keys that its class does not read`(key: String, value: String) throws {
        #expect(try open([key: value]) == (try open()))
    }

    @Test func `Mistral has a window and no biases`() throws {
        let plain = try open(Self.mistral)
        #expect(plain.architecture == "MistralForCausalLM")
        // An absent key means the default of the class; null means no window.
        #expect(plain.slidingWindow == 4096)
        func changed(_ changes: [String: String]) throws -> ModelConfiguration {
            try open(Self.mistral.merging(changes) { $1 })
        }
        #expect(try changed(["sliding_window": "null"]).slidingWindow == nil)
        let windowed = try changed(["sliding_window": "4"])
        #expect(windowed.slidingWindow == 4 && windowed.layersWithoutWindow == [])
        let foreign = ["sliding_window": "4", "use_sliding_window": "false", "max_window_layers": "2"]
        #expect(try changed(foreign) == windowed)
        #expect(try changed(["attention_bias": "true", "mlp_bias": "true"]) == plain)
        #expect(try changed(["partial_rotary_factor": "0.5"]) == plain)
    }

    @Test func `Mistral's layers may differ`() throws {
        func window(_ types: String) throws -> ModelConfiguration {
            try open(Self.mistral.merging(["sliding_window": "4", "layer_types": types]) { $1 })
        }
        let mixed = try window(#"["sliding_attention","full_attention"]"#)
        #expect(mixed.slidingWindow == 4 && mixed.layersWithoutWindow == [1])
        let none = try window(#"["full_attention","full_attention"]"#)
        #expect(none.slidingWindow == nil && none.layersWithoutWindow == [])
        let other = Self.mistral.merging(["layer_types": #"["full_attention","linear_attention"]"#]) { $1 }
        #expect(try refusal(other).contains("layer_types linear_attention is not supported yet"))
        let short = Self.mistral.merging(["layer_types": #"["full_attention"]"#]) { $1 }
        #expect(try refusal(short).contains("layer_types must be 2 elements, one a layer, found 1"))
    }

    @Test func `an absent key has the default of the class`() throws {
        #expect(try open(["max_position_embeddings": ""]).maxPositionCount == 2048)
        #expect(try open(["num_key_value_heads": ""]).keyValueHeadCount == 8)
        let absent = ["max_position_embeddings": "", "num_key_value_heads": "", "num_attention_heads": "16"]
        let mistral = try open(Self.mistral.merging(absent) { $1 })
        #expect(mistral.maxPositionCount == 131_072 && mistral.keyValueHeadCount == 8)
        let null = ["num_key_value_heads": "null", "num_attention_heads": "16"]
        #expect(try open(Self.mistral.merging(null) { $1 }).keyValueHeadCount == 16)
    }

    @Test(arguments: [
        "null", "[]", #""LlamaForCausalLM""#, #"["LlamaModel"]"#, #"["LLaMAForCausalLM"]"#, #"["Qwen2ForCausalLM"]"#,
        "", "7",
    ])
    func `the model type has precedence over the architectures`(architectures: String) throws {
        #expect(try open(["architectures": architectures]) == (try open()))
        let mistral = try open(["architectures": architectures, "model_type": #""mistral""#])
        #expect(mistral.architecture == "MistralForCausalLM" && mistral.slidingWindow == 4096)
    }

    @Test(arguments: [
        (["architectures": #"["Qwen2ForCausalLM"]"#, "model_type": #""qwen2""#], "Qwen2ForCausalLM"),
        (["model_type": #""qwen2""#], "qwen2"), (["architectures": "", "model_type": #""gpt2""#], "gpt2"),
        (["architectures": #"["GPT2LMHeadModel"]"#, "model_type": #""gpt2""#, "hidden_size": ""], "GPT2LMHeadModel"),
        (["architectures": #"["BloomForCausalLM"]"#, "model_type": "", "num_attention_heads": ""], "BloomForCausalLM"),
        (
            ["architectures": #"["FalconForCausalLM"]"#, "model_type": #""falcon""#, "vocab_size": ""],
            "FalconForCausalLM"
        ),
        (
            ["architectures": #"["Mamba2ForCausalLM"]"#, "model_type": #""mamba2""#, "hidden_size": "\"x\""],
            "Mamba2ForCausalLM"
        ),
        (
            [
                "architectures": #"["Gemma3ForConditionalGeneration"]"#, "model_type": #""gemma3""#, "hidden_size": "",
                "text_config": #"{"hidden_size":64}"#,
            ], "Gemma3ForConditionalGeneration"
        ),
    ])
    func `an unknown architecture is refused before any size is checked`(changes: [String: String], name: String) throws
    {
        let known = ["LlamaForCausalLM", "MistralForCausalLM", "llama"]
        let description = try refusal(changes, architectures: known)
        #expect(
            description.hasSuffix(
                "config.json: architecture \(name) is not supported yet (supported: LlamaForCausalLM, MistralForCausalLM)"
            ))
    }

    @Test func `of a repeated key the last value counts`() throws {
        let configuration = try open(["rms_norm_eps": #"0.5,"rms_norm_eps":0.25"#])
        #expect(configuration.normEpsilon == 0.25)
    }

    private static let llama3 = #""rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0"#

    /// transformers reads the length beside the parameters first, then the one inside of them, then the model's.
    @Test(arguments: [
        (#"{LLAMA3}"#, "32", 32), (#"{LLAMA3,"original_max_position_embeddings":64}"#, "32", 32),
        (#"{LLAMA3,"original_max_position_embeddings":64}"#, "", 64), (#"{LLAMA3}"#, "", 128),
        (#"{LLAMA3,"original_max_position_embeddings":64}"#, "null", 64), (#"{LLAMA3}"#, "32.0", 32),
    ])
    func `the original length is read in both positions`(parameters: String, outside: String, expected: Int) throws {
        let scaling = RotaryConfiguration.Scaling.llama3(
            factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositionCount: expected)
        for key in ["rope_parameters", "rope_scaling"] {
            let changes = [
                key: parameters.replacing("LLAMA3", with: Self.llama3), "original_max_position_embeddings": outside,
            ]
            #expect(try open(changes).rotary.scaling == scaling)
        }
    }

    @Test func `the old scaling key has precedence over the new parameters`() throws {
        let both = [
            "rope_parameters": #"{"rope_type":"default","rope_theta":100}"#,
            "rope_scaling": #"{"type":"linear","factor":2}"#, "rope_theta": "7",
        ]
        #expect(try open(both).rotary == RotaryConfiguration(theta: 7, rotarySize: 8, scaling: .linear(factor: 2)))
    }

    /// With scaled positions, transformers computes half of the angles and fails.
    @Test func `a partial rotary factor with scaled positions is refused`() throws {
        let changes = ["rope_scaling": #"{"type":"linear","factor":2}"#, "partial_rotary_factor": "0.5"]
        #expect(try refusal(changes).contains("partial_rotary_factor 0.5 is not supported yet"))
    }
}
