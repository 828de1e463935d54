import Backends
import Testing
import Weights

@testable import Models

@Suite struct LlamaArchitectureTests {
    /// A description of one operation, so that a plan can be compared as a list.
    private func word(_ operation: DeviceOperation, _ plan: ForwardPlan) -> String {
        switch operation {
        case .embed(let table, _, _, _): "embed \(plan[table].name)"
        case .rmsNorm(_, let weight, _, _): "rmsNorm \(plan[weight].name)"
        case .linear(_, let weights, let bias, _):
            "linear \(plan[weights].name)" + (bias.map { " + \(plan[$0].name)" } ?? "")
        case .rotaryEmbedding: "rotaryEmbedding"
        case .writeKV(let layer, _, _): "writeKV \(layer)"
        case .pagedAttention(let layer, _, _, _): "pagedAttention \(layer)"
        case .gatedActivation(_, _, let activation, _): "gatedActivation \(activation)"
        case .add: "add"
        case .gather: "gather"
        default: "another operation"
        }
    }

    private func layer(_ prefix: String, _ names: [String], number: Int) -> [String] {
        [
            "rmsNorm \(prefix).\(names[0]).weight", "linear \(prefix).\(names[1]).weight",
            "linear \(prefix).\(names[2]).weight", "linear \(prefix).\(names[3]).weight", "rotaryEmbedding",
            "rotaryEmbedding", "writeKV \(number)", "pagedAttention \(number)", "linear \(prefix).\(names[4]).weight",
            "add", "rmsNorm \(prefix).\(names[5]).weight", "linear \(prefix).\(names[6]).weight",
            "linear \(prefix).\(names[7]).weight", "gatedActivation silu", "linear \(prefix).\(names[8]).weight", "add",
        ]
    }

    @Test func `a Hugging Face model is encoded as the expected list`() throws {
        let plan = try encode([:])
        let names = [
            "input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
            "post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
        ]
        let expected =
            ["embed model.embed_tokens.weight"] + layer("model.layers.0", names, number: 0)
            + layer("model.layers.1", names, number: 1) + [
                "gather", "rmsNorm model.norm.weight", "linear lm_head.weight",
            ]
        #expect(plan.operations.map { word($0, plan) } == expected)
        #expect(
            plan.cacheLayers == [CacheLayer](repeating: CacheLayer(keyValueHeadCount: 2, headSize: 4), count: 2))
    }

    @Test func `a tied GGUF model is encoded as the expected list`() throws {
        let plan = try encode(
            try tinyGGUF(),
            OnesLoader {
                !$0.hasSuffix(".bias") && !$0.contains("qkv") && !["output.weight", "rope_freqs.weight"].contains($0)
                    && !$0.contains("rope_factors")
            })
        let names = [
            "attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down",
        ]
        let expected =
            ["embed token_embd.weight"] + layer("blk.0", names, number: 0) + layer("blk.1", names, number: 1) + [
                "gather", "rmsNorm output_norm.weight", "linear token_embd.weight",
            ]
        #expect(plan.operations.map { word($0, plan) } == expected)
        // A tied matrix is loaded once.
        #expect(plan.matrices.count == 1 + 2 * 7)
    }

    @Test func `values are written once before they are read, and the output matrix reads only sampled rows`() throws {
        let plan = try encode([:])
        var written: Set<ValueID> = []
        for operation in plan.operations {
            #expect(written.isSuperset(of: operation.inputs))
            if let output = operation.output { #expect(written.insert(output).inserted) }
        }
        #expect(written.count == plan.values.count)
        let logits = try #require(plan.logits)
        #expect(plan[logits].rows == .samples && plan[logits].width == 10)
        #expect(plan.values.filter { $0.rows == .samples }.count == 3)
    }

    @Test func `biases and epsilon reach the plan`() throws {
        let plan = try encode(
            ["attention_bias": "true", "mlp_bias": "true"], OnesLoader(has: { !$0.contains("qkv") }))
        let biased = plan.operations.map { word($0, plan) }.filter { $0.contains(".bias") }
        #expect(biased.count == 2 * 7)
        #expect(biased.contains("linear model.layers.1.self_attn.o_proj.weight + model.layers.1.self_attn.o_proj.bias"))
        for case .pagedAttention(_, _, let attention, _) in plan.operations {
            #expect(attention == AttentionShape(queryHeadCount: 4, scale: 0.5))
        }
        for case .rmsNorm(_, _, let epsilon, _) in plan.operations { #expect(epsilon == 0.25) }
    }

    @Test(arguments: [1, 2, 4]) func `any grouping of heads is encoded`(keyValueHeadCount: Int) throws {
        let plan = try encode(["num_key_value_heads": "\(keyValueHeadCount)"])
        for case .writeKV(_, let key, _) in plan.operations { #expect(plan[key].width == keyValueHeadCount * 4) }
    }

    @Test func `the pairing of rotary embeddings follows the format`() throws {
        let halves = try encode([:]).rotations
        #expect(halves == Array(repeating: RotaryEmbedding(frequencies: [1, 0.01], pairing: .halves), count: 4))
        let neighbours = try encode(try tinyGGUF()).rotations
        #expect(
            neighbours == Array(repeating: RotaryEmbedding(frequencies: [1, 0.01], pairing: .interleaved), count: 4))
    }

    @Test func `frequencies are divided by the file's divisors`() throws {
        var loader = OnesLoader()
        loader.vectors["rope_freqs.weight"] = [1, 4]
        for rotary in try encode(try tinyGGUF(), loader).rotations { #expect(rotary.frequencies == [1, 0.0025]) }
        loader.vectors["rope_freqs.weight"] = [1, 0]
        let error = #expect(throws: WeightLoadingError.self) { try encode(try tinyGGUF(), loader) }
        #expect(try #require(error).description.contains("rope_freqs.weight"))
    }

    @Test(arguments: [
        "model.norm.weight", "model.layers.1.input_layernorm.weight",
        "model.layers.0.self_attn.q_proj.weight", "model.layers.1.mlp.down_proj.weight",
    ])
    func `a missing tensor is named`(name: String) throws {
        let loader = OnesLoader(has: { $0 != name && !$0.hasSuffix(".bias") && !$0.contains("qkv") })
        #expect(throws: WeightLoadingError.missingTensor(file: "memory", tensor: name)) { try encode([:], loader) }
    }

    @Test(arguments: [
        ("hidden_act", #""other""#, "hidden_act other is not supported yet"),
        ("rope_scaling", #"{"type":"other"}"#, "rope_scaling.rope_type other is not supported yet"),
        ("hidden_size", "\"64\"", "key hidden_size must be"), ("hidden_size", "0", "key hidden_size must be"),
        ("hidden_size", "1e300", "key hidden_size must be"),
        ("num_hidden_layers", "0", "key num_hidden_layers must be"),
        ("num_hidden_layers", "9223372036854775807", "key num_hidden_layers must be"),
        ("num_key_value_heads", "3", "key num_key_value_heads must be a divisor of the 4 query heads, found 3"),
        ("head_dim", "15", "key head_dim must be an even number"), ("rms_norm_eps", "0", "key rms_norm_eps must be"),
        ("rms_norm_eps", "NaN", "key rms_norm_eps must be"), ("attention_bias", "\"no\"", "key attention_bias must be"),
        ("hidden_size", "", "key hidden_size is missing"),
        ("intermediate_size", "", "key intermediate_size is missing"),
        ("num_attention_heads", "", "key num_attention_heads is missing"),
    ])
    func `what the model cannot have is named with its file`(key: String, value: String, words: String) throws {
        let error = #expect(throws: WeightLoadingError.self) { try encode([key: value]) }
        let description = try #require(error).description
        #expect(description.contains("config.json") && description.contains(words), "\(description)")
    }

    /// A block count of zero crashed another engine (CVE-2024-8063).
    @Test(arguments: [
        ("block_count", 0), ("block_count", .max), ("attention.head_count", 0), ("attention.head_count_kv", 3),
        ("embedding_length", .max), ("rope.dimension_count", 7), ("attention.key_length", .max),
    ])
    func `an impossible number of a GGUF file is named`(key: String, value: Int) throws {
        let error = #expect(throws: WeightLoadingError.self) { try encode(try tinyGGUF([key: .integer(value)])) }
        #expect(try #require(error).description.contains("model.gguf: key llama.\(key) must be"))
    }

    /// GGUF files of Mixtral state Llama's architecture.
    @Test(arguments: [
        ([:], "llama.expert_used_count"),
        (["expert_used_count": 9], "llama.expert_used_count must be at most the 8 experts"),
        (["expert_used_count": 0], "llama.expert_used_count must be"),
    ])
    func `experts in a GGUF file of this architecture need their keys`(keys: [String: Int], words: String)
        throws
    {
        var entries = keys.mapValues { GGUFValue.integer($0) }
        entries["expert_count"] = .integer(8)
        let error = #expect(throws: WeightLoadingError.self) { try encode(try tinyGGUF(entries)) }
        let description = try #require(error).description
        #expect(description.contains(words), "\(description)")
    }

    @Test func `no experts are none`() {
        #expect(throws: Never.self) { try encode(try tinyGGUF(["expert_count": .integer(0)])) }
    }
}
