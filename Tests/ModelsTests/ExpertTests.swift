import Backends
import Tensors
import Testing
@testable import Weights

/// Layers with experts: what is refused at load, and what the families read.
@Suite struct ExpertTests {
    private static let qwen = [
        "model_type": #""qwen3_moe""#, "num_experts": "4", "num_experts_per_tok": "2", "moe_intermediate_size": "6",
    ]
    private static let router = "model.layers.1.mlp.gate.weight"

    /// Has biases as well.
    private static let biased = OnesLoader(has: { !$0.contains("qkv") && !$0.contains("rope_") })

    private func refusal(_ body: () throws -> ForwardPlan) throws -> String {
        let error = #expect(throws: WeightLoadingError.self) { try body() }
        return try #require(error).description
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func `a router with a number that is not finite is refused by name`(number: Float) throws {
        var numbers = [Float](repeating: 1, count: 4 * 8)
        numbers[2 * 8 + 5] = number
        let loader = OnesLoader(matrices: [Self.router: .dense(HostTensor(numbers, shape: [4, 8]))])
        let words = try refusal { try encode(Self.qwen, loader) }
        #expect(words.contains("tensor \(Self.router) is malformed: row 2 of the router has the number \(number)"))
    }

    @Test func `so is a bias of the choice`() throws {
        let name = "model.layers.0.mlp.gate.e_score_correction_bias"
        let keys = [
            "model_type": #""glm4_moe""#, "n_routed_experts": "4", "num_experts_per_tok": "2",
            "moe_intermediate_size": "6", "first_k_dense_replace": "0", "n_group": "1", "partial_rotary_factor": "1",
        ]
        #expect(throws: Never.self) { try encode(keys) }
        let words = try refusal { try encode(keys, OnesLoader(vectors: [name: [0, .nan, 0, 0]])) }
        #expect(words.contains("tensor \(name) is malformed: the number of expert 1 is nan"))
    }

    @Test(arguments: [
        ("num_experts", "0", "num_experts must be an integer from 1"),
        ("num_experts", "-1", "num_experts must be an integer from 1"),
        ("num_experts_per_tok", "0", "num_experts_per_tok must be an integer from 1"),
        ("num_experts_per_tok", "5", "num_experts_per_tok must be at most the 4 experts, found 5"),
    ])
    func `wrong numbers of experts are refused by key`(key: String, value: String, words: String) throws {
        let found = try refusal { try encode(Self.qwen.merging([key: value]) { $1 }) }
        #expect(found.contains(words), "\(found)")
    }

    /// Two matrices of a set in different layouts would not be one set.
    @Test func `a set with an order of inputs is dequantized as a whole, with a warning`() throws {
        let format = GroupFormat(bitCount: 4, groupSize: 8, scaleType: .f32, hasZeros: false)
        func matrix(_ order: [Int32]?) -> LinearWeights {
            .quantized(
                QuantizedMatrix(
                    outputSize: 6, inputSize: 8, layout: .groups(format), inputOrder: order,
                    rows: StoredRows(HostMemory(byteCount: 6 * 8) { _ in }, rowByteCount: 8)))
        }
        func plan(_ order: [Int32]?) throws -> ForwardPlan {
            var loader = OnesLoader()
            for expert in 0..<4 {
                let name = "model.layers.0.mlp.experts.\(expert).up_proj.weight"
                loader.matrices[name] = matrix(expert == 3 ? order : nil)
            }
            return try encode(Self.qwen, loader)
        }
        #expect(try plan(nil).warnings == [])
        let ordered = try plan([7, 6, 5, 4, 3, 2, 1, 0])
        #expect(
            ordered.warnings == [
                "model.layers.0.mlp.experts.*.up_proj.weight is dequantized, 768 bytes for 192: each of its experts has an "
                    + "order of inputs of its own (desc_act)"
            ])
        let set = try #require(ordered.matrixSets.first { $0.name.hasSuffix("up_proj.weight") })
        for case .quantized(_) in set.matrices { Issue.record("a matrix is still quantized") }
    }

    @Test func `gpt-oss has its class's rotation where the configuration has none`() throws {
        let keys = [
            "model_type": #""gpt_oss""#, "num_local_experts": "4", "num_experts_per_tok": "2",
            "rope_theta": "150000",
        ]
        let stated = keys.merging([
            "rope_scaling": #"{"rope_type":"yarn","factor":32,"beta_fast":32,"beta_slow":1,"truncate":false,"#
                + #""original_max_position_embeddings":4096}"#
        ]) { $1 }
        #expect(try encode(keys, Self.biased).rotations == (try encode(stated, Self.biased).rotations))
        let truncated = stated.mapValues { $0.replacing("false", with: "true") }
        #expect(try encode(keys, Self.biased).rotations != (try encode(truncated, Self.biased).rotations))
        #expect(try encode(keys, Self.biased).windows == [128, nil])
    }

    /// llama.cpp rounds the ends of YaRN's ramp, the model's own code does not.
    @Test func `a GGUF file of gpt-oss has the ramp of the class`() throws {
        let keys: [String: GGUFValue] = [
            "expert_count": .integer(4), "expert_used_count": .integer(2), "attention.sliding_window": .integer(128),
            "rope.freq_base": .number(150_000), "rope.scaling.type": .string("yarn"),
            "rope.scaling.factor": .number(32), "rope.scaling.original_context_length": .integer(4096),
        ]
        let rotations = try encode(try tinyGGUF(keys, architecture: "gpt-oss"), Self.biased).rotations
        let config = [
            "model_type": #""gpt_oss""#, "num_local_experts": "4", "num_experts_per_tok": "2",
        ]
        #expect(try rotations == encode(config, Self.biased).rotations)
    }

    @Test func `Phi-3.5-MoE has a magnitude for short contexts and one for long ones`() throws {
        let keys = [
            "model_type": #""phimoe""#, "num_local_experts": "4", "num_experts_per_tok": "2",
            "original_max_position_embeddings": "32",
            "rope_scaling": #"{"type":"longrope","short_factor":[1,1],"long_factor":[2,2],"short_mscale":1.25,"#
                + #""long_mscale":1.5}"#,
        ]
        func rotation(_ length: Int) throws -> RotaryEmbedding {
            try #require(try encode(try metadata(tinyConfig(keys)), contextLength: length).rotations.first)
        }
        let (short, long) = (try rotation(32), try rotation(33))
        #expect(short.magnitude == 1.25 && long.magnitude == 1.5)
        #expect(short.frequencies[0] == 1 && long.frequencies[0] == 0.5)
        let three = keys.merging(["num_experts_per_tok": "3"]) { $1 }
        #expect(try refusal { try encode(three) }.contains("num_experts_per_tok 3 is not supported yet (supported: 2)"))
    }
}
