import Backends
import Tensors
import Testing
import Weights

@testable import Adapters

@Suite("Adapters that are refused")
struct BadAdapterTests {
    private let directory: TemporaryDirectory
    private let module = "model.layers.0.self_attn.q_proj"

    init() throws { directory = try TemporaryDirectory() }

    /// The error of loading `path` for a model with one module, of rank at most 4.
    private func refusal(_ path: String) -> String {
        var served = ServedModules()
        served.add(module, gguf: "blk.0.attn_q")
        do {
            _ = try AdapterWeights(
                AdapterFile(path: path), for: served.modules,
                limits: AdapterLimits(slotCount: 1, rank: 4, elementType: .f32))
            return "none"
        } catch { return "\(error)" }
    }

    @Test(
        "name the key of the configuration",
        arguments: [
            ("\"peft_type\": \"IA3\"", "peft_type"), ("\"bias\": \"all\"", "bias"), ("\"use_dora\": true", "use_dora"),
            ("\"use_qalora\": true", "use_qalora"), ("\"lora_bias\": true", "lora_bias"),
            ("\"modules_to_save\": [\"lm_head\"]", "modules_to_save"),
            ("\"target_parameters\": [\"x\"]", "target_parameters"),
            ("\"trainable_token_indices\": [1]", "trainable_token_indices"),
            ("\"layer_replication\": [[0, 1]]", "layer_replication"),
            ("\"init_lora_weights\": \"pissa\"", "init_lora_weights"), ("\"r\": 0", "r"), ("\"r\": \"2\"", "r"),
            ("\"lora_alpha\": []", "lora_alpha"), ("\"rank_pattern\": {\"q_proj\": -1}", "rank_pattern.q_proj"),
            ("\"rank_pattern\": {\"(\": 1}", "rank_pattern"), ("\"alpha_pattern\": 3", "alpha_pattern"),
            ("\"target_modules\": {}", "target_modules"), ("\"target_modules\": [1]", "target_modules[0]"),
            ("\"layers_to_transform\": [\"a\"]", "layers_to_transform[0]"), ("\"fan_in_fan_out\": 1", "fan_in_fan_out"),
        ])
    func configurations(member: String, key: String) throws {
        let path = try directory.peft("\"r\": 2, \(member)", pair(module))
        let message = refusal(path)
        #expect(message.contains("adapter_config.json"), "\(message)")
        #expect(message.contains(key), "\(message)")
    }

    @Test(
        "name the tensor",
        arguments: [
            (pair("model.layers.0.mlp.up_proj"), "module model.layers.0.mlp.up_proj"),
            (pair("vision_tower.layers.0.self_attn.q_proj"), "module vision_tower.layers.0.self_attn.q_proj"),
            (pair("lm_head"), "module lm_head"),
            (pair("model.layers.0.self_attn.q_proj", rank: 3), "[3, 3]"),
            (pair("model.layers.0.self_attn.q_proj", inputSize: 5), "[2, 5]"),
            (pair("model.layers.0.self_attn.q_proj", outputSize: 5), "[5, 2]"),
            (Array(pair("model.layers.0.self_attn.q_proj").prefix(1)), "lora_B.weight is missing"),
            (Array(pair("model.layers.0.self_attn.q_proj").suffix(1)), "lora_A.weight is missing"),
            ([WrittenTensor("base_model.model.model.embed_tokens.lora_embedding_A", [2, 3])], "embed"),
            ([WrittenTensor("base_model.model.model.layers.0.q.lora_magnitude_vector", [2])], "DoRA"),
            ([WrittenTensor("base_model.model.lm_head.weight", [2])], "lm_head.weight"),
            ([WrittenTensor("base_model.model.model.layers.0.q.lora_B.bias", [2])], "lora_B.bias"),
            ([], "no tensors"),
        ])
    func tensors(tensors: [WrittenTensor], part: String) throws {
        let message = refusal(try directory.peft("\"r\": 2", tensors))
        #expect(message.contains("adapter_model.safetensors"), "\(message)")
        #expect(message.contains(part), "\(message)")
    }

    @Test("have a rank that the server has no room for")
    func rank() throws {
        let message = refusal(try directory.peft("\"r\": 5", pair(module, rank: 5)))
        #expect(message.contains("rank 5, expected at most 4 (lora.max_lora_rank)"), "\(message)")
    }

    @Test("have tensors for modules or layers that they do not name")
    func targets() throws {
        for targets in [
            "\"target_modules\": [\"k_proj\"]", "\"target_modules\": \".*k_proj\"",
            "\"target_modules\": \"q_proj\"", "\"layers_to_transform\": 1", "\"layers_to_transform\": [1, 2]",
        ] {
            let message = refusal(try directory.peft("\"r\": 2, \(targets)", pair(module)))
            #expect(message.contains("target_modules"), "\(targets): \(message)")
        }
        for targets in [
            "\"target_modules\": [\"q_proj\"]", "\"target_modules\": \".*(q|k)_proj\"",
            "\"target_modules\": \"all-linear\"", "\"layers_to_transform\": [0]",
        ] {
            #expect(refusal(try directory.peft("\"r\": 2, \(targets)", pair(module))) == "none", "\(targets)")
        }
    }

    @Test("have numbers of other types")
    func types() throws {
        _ = try directory.peft("\"r\": 2", pair(module))
        try directory.write(safetensors(pair(module), typeName: "I32"), to: "adapter_model.safetensors")
        #expect(refusal(directory.path).contains("type I32"))
    }

    @Test("are none: nothing, an empty directory, a pickle, a model")
    func otherThings() throws {
        #expect(refusal(directory.path + "/missing").contains("nothing is there"))
        #expect(refusal(directory.path).contains("no adapter_config.json"))
        try directory.write("{\"peft_type\": \"LORA\"}", to: "adapter_config.json")
        #expect(refusal(directory.path).contains("no adapter_model.safetensors"))
        try directory.write([0x80, 2], to: "adapter_model.bin")
        #expect(refusal(directory.path).contains("pickle"))
        let model = gguf(texts: [("general.type", "model")], numbers: [], [])
        #expect(refusal(try directory.write(model, to: "model.gguf")).contains("general.type"))
    }

    @Test("are GGUF files with other tensors")
    func ggufFiles() throws {
        func message(_ tensors: [WrittenTensor], type: String = "lora", alpha: String = "adapter.lora.alpha") throws
            -> String
        {
            let texts = [("general.type", "adapter"), ("adapter.type", type)]
            return refusal(
                try directory.write(gguf(texts: texts, numbers: [(alpha, 2)], tensors), to: "adapter.gguf"))
        }
        let down = WrittenTensor("blk.0.attn_q.weight.lora_a", [2, 3])
        let up = WrittenTensor("blk.0.attn_q.weight.lora_b", [4, 2])
        #expect(try message([down, up]) == "none")
        #expect(try message([down, up], type: "control").contains("adapter.type"))
        #expect(try message([down, up], alpha: "alpha").contains("adapter.lora.alpha"))
        #expect(try message([down]).contains("blk.0.attn_q.weight.lora_b is missing"))
        #expect(try message([WrittenTensor("blk.0.attn_q.bias", [4])]).contains("blk.0.attn_q.bias"))
        let table = ["lora_a", "lora_b"].map { WrittenTensor("token_embd.weight.\($0)", [2, 2]) }
        #expect(try message(table).contains("token_embd.weight.lora_a"))
    }

    @Test("are cut off anywhere")
    func truncated() throws {
        _ = try directory.peft("\"r\": 2, \"lora_alpha\": 4, \"target_modules\": [\"q_proj\"]", pair(module))
        let bytes = safetensors(pair(module))
        for count in 0..<bytes.count {
            try directory.write(Array(bytes[..<count]), to: "adapter_model.safetensors")
            #expect(refusal(directory.path).contains("adapter_model.safetensors"))
        }
        try directory.write(bytes, to: "adapter_model.safetensors")
        let config = Array("{\"peft_type\": \"LORA\", \"r\": 2}".utf8)
        for count in 0..<config.count {
            try directory.write(Array(config[..<count]), to: "adapter_config.json")
            #expect(refusal(directory.path).contains("adapter_config.json"))
        }
    }

    @Test("have a million tensors, or patterns that make other matchers slow: errors within seconds")
    func floods() throws {
        let clock = ContinuousClock()
        let start = clock.now
        _ = try directory.peft("\"r\": 2", [])
        var header = "{"
        for index in 0..<1_000_000 {
            header += "\"\(index).lora_A.weight\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
        }
        header += "\"a.lora_A.weight\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}"
        let bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
        try directory.write(bytes, to: "adapter_model.safetensors")
        #expect(refusal(directory.path).contains("header of"))
        let tensors = (0..<1_000_000).lazy.map { _ in [UInt8](repeating: 0, count: 24) }.joined()
        let flood =
            Array("GGUF".utf8) + [3, 0, 0, 0] + withUnsafeBytes(of: UInt64(1_000_000).littleEndian) { Array($0) }
            + [UInt8](repeating: 0, count: 8) + Array(tensors)
        #expect(refusal(try directory.write(flood, to: "adapter.gguf")).contains("tensor count of 1000000"))
        let name = "model.layers.0." + String(repeating: "a", count: 4000) + ".q_proj"
        let path = try directory.peft("\"r\": 2, \"rank_pattern\": {\"(a*)*(a*)*b\": 3}", pair(name))
        #expect(refusal(path).contains("module"))
        #expect(clock.now - start < .seconds(20))
    }
}
