import Backends
import Tensors
import Testing
import Weights

@testable import Models

@Suite struct LlamaArchitectureTests {
    private func encode(
        _ configuration: ModelConfiguration, _ source: TensorsInMemory
    ) throws -> ForwardPlan {
        try LlamaArchitecture().encode(configuration, from: source, loader: DenseWeightLoader())
    }

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
        case .softCap: "softCap"
        default: "\(operation)"
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
        let configuration = tinyConfiguration(.huggingFace)
        let plan = try encode(configuration, .complete(configuration))
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
        var configuration = tinyConfiguration(.gguf)
        configuration.tieWordEmbeddings = true
        let plan = try encode(configuration, .complete(configuration))
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
        let configuration = tinyConfiguration(.huggingFace)
        let plan = try encode(configuration, .complete(configuration))
        var written: Set<ValueID> = []
        for operation in plan.operations {
            let (inputs, output) = values(operation)
            #expect(written.isSuperset(of: inputs))
            if let output { #expect(written.insert(output).inserted) }
        }
        #expect(written.count == plan.values.count)
        let logits = try #require(plan.logits)
        #expect(plan[logits].rows == .samples && plan[logits].width == 10)
        #expect(plan.values.filter { $0.rows == .samples }.count == 3)
    }

    private func values(_ operation: DeviceOperation) -> (inputs: [ValueID], output: ValueID?) {
        switch operation {
        case .embed(_, _, _, let output): ([], output)
        case .rmsNorm(let input, _, _, let output): ([input], output)
        case .linear(let input, _, _, let output): ([input], output)
        case .rotaryEmbedding(let input, _, _, let output): ([input], output)
        case .writeKV(_, let key, let value): ([key, value], nil)
        case .pagedAttention(_, let query, _, let output): ([query], output)
        case .gatedActivation(let gate, let up, _, let output): ([gate, up], output)
        case .add(let left, let right, let output): ([left, right], output)
        case .gather(let input, let output): ([input], output)
        case .softCap(let input, _, let output): ([input], output)
        default: (operation.inputs, operation.output)
        }
    }

    @Test func `biases, window and epsilon reach the plan`() throws {
        var configuration = tinyConfiguration(.huggingFace)
        configuration.attentionBias = true
        configuration.mlpBias = true
        configuration.slidingWindow = 5
        let plan = try encode(configuration, .complete(configuration))
        let biased = plan.operations.map { word($0, plan) }.filter { $0.contains(".bias") }
        #expect(biased.count == 2 * 7)
        #expect(biased.contains("linear model.layers.1.self_attn.o_proj.weight + model.layers.1.self_attn.o_proj.bias"))
        for case .pagedAttention(_, _, let attention, _) in plan.operations {
            #expect(attention == AttentionShape(queryHeadCount: 4, scale: 0.5, slidingWindow: 5))
        }
        for case .rmsNorm(_, _, let epsilon, _) in plan.operations { #expect(epsilon == 0.25) }
    }

    @Test(arguments: [1, 2, 4]) func `any grouping of heads is encoded`(keyValueHeadCount: Int) throws {
        var configuration = tinyConfiguration(.huggingFace)
        configuration.keyValueHeadCount = keyValueHeadCount
        let plan = try encode(configuration, .complete(configuration))
        for case .writeKV(_, let key, _) in plan.operations { #expect(plan[key].width == keyValueHeadCount * 4) }
    }

    @Test(arguments: [(ModelConfiguration.Format.huggingFace, RotaryEmbedding.Pairing.halves), (.gguf, .interleaved)])
    func `the pairing of rotary embeddings follows the format`(
        format: ModelConfiguration.Format, pairing: RotaryEmbedding.Pairing
    ) throws {
        let configuration = tinyConfiguration(format)
        let plan = try encode(configuration, .complete(configuration))
        for case .rotaryEmbedding(_, let headSize, let rotary, _) in plan.operations {
            #expect(headSize == 4)
            #expect(rotary == RotaryEmbedding(frequencies: [1, 0.01], pairing: pairing))
        }
    }

    @Test func `frequencies are divided by the file's divisors`() throws {
        let configuration = tinyConfiguration(.gguf)
        var source = TensorsInMemory.complete(configuration)
        source.tensors["rope_freqs.weight"] = ([1, 4], [2])
        let plan = try encode(configuration, source)
        for case .rotaryEmbedding(_, _, let rotary, _) in plan.operations {
            #expect(rotary.frequencies == [1, 0.0025])
        }
        source.tensors["rope_freqs.weight"] = ([1, 0], [2])
        let error = #expect(throws: WeightLoadingError.self) { try encode(configuration, source) }
        #expect(try #require(error).description.contains("rope_freqs.weight"))
    }

    @Test func `a wrong shape is reported with tensor, expected and found`() throws {
        let configuration = tinyConfiguration(.huggingFace)
        var source = TensorsInMemory.complete(configuration)
        let name = "model.layers.1.self_attn.k_proj.weight"
        source.tensors[name] = ([Float](repeating: 0, count: 8 * 7), [7, 8])
        let expected = WeightLoadingError.shapeMismatch(file: "memory", tensor: name, expected: [8, 8], found: [7, 8])
        #expect(throws: expected) { try encode(configuration, source) }
    }

    @Test func `a missing tensor is named`() throws {
        for name in TensorsInMemory.complete(tinyConfiguration(.huggingFace)).tensorNames {
            var source = TensorsInMemory.complete(tinyConfiguration(.huggingFace))
            source.tensors[name] = nil
            #expect(throws: WeightLoadingError.missingTensor(file: "memory", tensor: name)) {
                try encode(tinyConfiguration(.huggingFace), source)
            }
        }
    }

    @Test func `other activations and scalings are refused by name`() throws {
        var configuration = tinyConfiguration(.huggingFace)
        configuration.hiddenActivation = "gelu"
        var error = #expect(throws: WeightLoadingError.self) { try encode(configuration, .complete(configuration)) }
        #expect(try #require(error).description.contains("hidden_act gelu is not supported yet"))
        configuration.hiddenActivation = "silu"
        configuration.rotary.scaling = .other("yarn")
        error = #expect(throws: WeightLoadingError.self) { try encode(configuration, .complete(configuration)) }
        #expect(try #require(error).description.contains("rope_type yarn is not supported yet"))
    }
}
