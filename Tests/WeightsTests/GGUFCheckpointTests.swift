import Testing
import Tokenization

@testable import Weights

@Suite struct GGUFCheckpointTests {
    private let directory = Result { try TemporaryDirectory() }

    /// A valid Llama file without the keys `without`, after `change`.
    private func open(
        without: Set<String> = [], named name: String = "model.gguf", _ change: (inout GGUFBuilder) -> Void = { _ in }
    ) throws -> Checkpoint {
        var builder = GGUFBuilder()
        func add(_ key: String, _ value: UInt32) { if !without.contains(key) { builder.add(key, value) } }
        if !without.contains("general.architecture") { builder.add("general.architecture", "llama") }
        add("llama.embedding_length", 64)
        add("llama.feed_forward_length", 96)
        add("llama.block_count", 2)
        add("llama.attention.head_count", 4)
        add("llama.attention.head_count_kv", 2)
        add("llama.context_length", 128)
        if !without.contains("llama.attention.layer_norm_rms_epsilon") {
            builder.add("llama.attention.layer_norm_rms_epsilon", Float(0.5))
        }
        if !without.contains("tokenizer.ggml.model") { builder.add("tokenizer.ggml.model", "gpt2") }
        if !without.contains("tokenizer.ggml.tokens") { builder.add("tokenizer.ggml.tokens", ["<s>", "a", "</s>"]) }
        if !without.contains("tokenizer.ggml.merges") { builder.add("tokenizer.ggml.merges", ["a b"]) }
        change(&builder)
        return try Checkpoint(path: directory.get().write(builder.build(), to: name))
    }

    private func refusal(without: Set<String> = [], _ change: (inout GGUFBuilder) -> Void = { _ in }) throws -> String {
        let error = #expect(throws: WeightLoadingError.self) { try open(without: without, change) }
        return try #require(error).description
    }

    @Test func `reads a configuration with defaults`() throws {
        let checkpoint = try open()
        #expect(checkpoint.metadata.format == .gguf && checkpoint.metadata.architecture == "llama")
        #expect(checkpoint.shape == ModelShape(vocabularySize: 3, maxPositionCount: 128))
        #expect(checkpoint.loaderName == "gguf")
        #expect(checkpoint.chatTemplates.isEmpty)
    }

    @Test func `reads the stated values`() throws {
        let checkpoint = try open { builder in
            builder.add("llama.rope.freq_base", Float(500_000))
            builder.add("llama.rope.scaling.type", "linear")
            builder.add("llama.rope.scaling.factor", Float(4))
            builder.add("llama.rope.dimension_count", 8 as UInt32)
            builder.add("tokenizer.chat_template", "{{ x }}")
            builder.add("tokenizer.chat_template.tool_use", "{{ y }}")
            builder.add("tokenizer.chat_templates", ["tool_use"])
            builder.add("tokenizer.ggml.pre", "smollm")
            builder.add("tokenizer.ggml.token_type", [3, 1, 3])
            builder.add("tokenizer.ggml.bos_token_id", 0 as UInt32)
            builder.add("tokenizer.ggml.eos_token_id", 2 as UInt32)
            builder.add("tokenizer.ggml.padding_token_id", UInt32.max)
            builder.add("tokenizer.ggml.seperator_token_id", 1 as UInt32)
            builder.add("tokenizer.ggml.mask_token_id", 1 as UInt32)
            builder.add("tokenizer.ggml.cls_token_id", 0 as UInt32)
            builder.add("tokenizer.ggml.add_bos_token", false)
            builder.add("output.weight", [0], dimensions: [1])
            builder.add("blk.0.attn_q.bias", [0], dimensions: [1])
        }
        #expect(checkpoint.shape.bosTokenID == 0)
        #expect(checkpoint.shape.eosTokenIDs == [2])
        #expect(checkpoint.chatTemplates == ["default": "{{ x }}", "tool_use": "{{ y }}"])
        #expect(
            checkpoint.specialTokens == [
                "bos_token": "<s>", "eos_token": "</s>", "sep_token": "a", "mask_token": "a", "cls_token": "<s>",
            ])
        guard case .gguf(let tokenizer) = checkpoint.tokenizer else {
            Issue.record("the tokenizer is the file's own")
            return
        }
        #expect(tokenizer.tokens == ["<s>", "a", "</s>"])
        #expect(tokenizer.tokenTypes == [3, 1, 3])
        #expect(tokenizer.merges == ["a b"])
        #expect(tokenizer.pre == "smollm")
        #expect(tokenizer.paddingID == nil)
        #expect(tokenizer.addBOS == false && tokenizer.addEOS == nil)
    }

    /// Converters of 2024 wrote only one of the tokens that end an answer of Llama 3, or a wrong one.
    @Test func `tokens that end an answer are recognized by their texts`() throws {
        func ends(_ change: (inout GGUFBuilder) -> Void) throws -> [Int] {
            try open(without: ["tokenizer.ggml.tokens"]) { builder in
                builder.add("tokenizer.ggml.tokens", ["<|end_of_text|>", "a", "<|eot_id|>", "<|eom_id|>", "<|end|>"])
                builder.add("tokenizer.ggml.token_type", [3, 1, 3, 3, 1])
                change(&builder)
            }.shape.eosTokenIDs
        }
        #expect(try ends { $0.add("tokenizer.ggml.eos_token_id", 2 as UInt32) } == [2, 0, 3])
        let named = try ends {
            $0.add("tokenizer.ggml.eot_token_id", 4 as UInt32)
            $0.add("tokenizer.ggml.eom_token_id", 1 as UInt32)
        }
        #expect(named == [4, 1, 0, 2, 3])
    }

    @Test func `a tokenizer is read from a file that has nothing else`() throws {
        var builder = GGUFBuilder()
        builder.add("tokenizer.ggml.model", "gpt2")
        builder.add("tokenizer.ggml.tokens", ["a"])
        builder.add("tokenizer.ggml.merges", [] as [String])
        let path = try directory.get().write(builder.build(), to: "vocabulary.gguf")
        guard case .gguf(let metadata) = try TokenizerOrigin(path: path) else {
            Issue.record("not the file's own")
            return
        }
        #expect(metadata.tokens == ["a"])
    }

    @Test(arguments: [
        "general.architecture", "llama.context_length", "tokenizer.ggml.model", "tokenizer.ggml.tokens",
        "tokenizer.ggml.merges",
    ])
    func `a missing key is named with its file`(key: String) throws {
        #expect(try refusal(without: [key]).contains("model.gguf: key \(key) is missing"))
    }

    @Test(arguments: [("llama.context_length", 0), ("tokenizer.ggml.bos_token_id", 3)] as [(String, UInt32)])
    func `an impossible number is named with its file`(key: String, value: UInt32) throws {
        let description = try refusal(without: [key]) { $0.add(key, value) }
        #expect(description.contains("model.gguf: key \(key) must be"), "\(description)")
    }

    /// Writes part `number` of `count` of a model, with one tensor, into the first part's directory.
    private func writePart(_ number: UInt32, of count: UInt32, tensor: String, named name: String) throws {
        var builder = GGUFBuilder()
        builder.add("split.no", number)
        builder.add("split.count", count)
        builder.add(tensor, [Float(number)], dimensions: [1])
        try directory.get().write(builder.build(), to: name)
    }

    @Test func `a model of several parts is read from the first`() throws {
        let names = (1...3).map { "m-0000\($0)-of-00003.gguf" }
        func first(_ number: UInt32 = 0) throws -> Checkpoint {
            try open(named: names[0]) { builder in
                builder.add("split.no", number)
                builder.add("split.count", 3 as UInt32)
                builder.add("a", [7], dimensions: [1])
            }
        }
        func refusal(_ number: UInt32 = 0) throws -> String {
            let error = #expect(throws: WeightLoadingError.self) { try first(number) }
            return try #require(error).description
        }
        #expect(try refusal().hasSuffix("m-00001-of-00003.gguf: shard m-00002-of-00003.gguf is missing"))
        try writePart(1, of: 3, tensor: "b", named: names[1])
        try writePart(2, of: 3, tensor: "c", named: names[2])
        let source = try first().source
        #expect(source.tensorNames == ["a", "b", "c"] && source.byteCount == 12)
        #expect(try ["a", "b", "c"].map { try source.tensor(named: $0).floats() } == [[7], [1], [2]])
        #expect(source.shape(of: "c") == [1] && source.shape(of: "d") == nil)
        #expect(
            try refusal(1).contains("split.count 3 is not supported yet (supported: files called NAME-00002-of-00003"))
        // Any part opens the whole model; the metadata are those of the first one.
        _ = try first()
        let second = try GGUFSource.model(directory.get().path + "/" + names[1])
        #expect(second.tensorNames == ["a", "b", "c"] && second.metadata["general.architecture"] != nil)
        try writePart(1, of: 3, tensor: "c", named: names[2])
        #expect(try refusal().hasSuffix("shard m-00003-of-00003.gguf is not part 3 of 3"))
        try writePart(2, of: 3, tensor: "a", named: names[2])
        #expect(try refusal().hasSuffix("tensor a is malformed: another part has a tensor of this name"))
    }

    @Test func `a part with another name is refused`() throws {
        let description = try refusal {
            $0.add("split.no", 0 as UInt32)
            $0.add("split.count", 3 as UInt32)
        }
        #expect(description.contains("(supported: files called NAME-00001-of-00003.gguf)"))
    }

    @Test func `missing keys about splitting text are logged`() throws {
        let bare = try open().warnings
        #expect(bare.count == 2)
        #expect(bare.first?.contains("model.gguf: key tokenizer.ggml.pre is missing; texts are cut by GPT-2's") == true)
        #expect(bare.last?.contains("key tokenizer.ggml.token_type is missing") == true)
        let whole = try open {
            $0.add("tokenizer.ggml.pre", "smollm")
            $0.add("tokenizer.ggml.token_type", [3, 1, 3])
        }
        #expect(whole.warnings == [])
    }

    @Test func `keys that are not read may have any type`() throws {
        let checkpoint = try open { builder in
            builder.add("general.name", type: 8, payload: GGUFBuilder.bytes(UInt64(2)) + [0xFF, 0xFE])
            let large = GGUFBuilder.bytes(UInt32(10)) + GGUFBuilder.bytes(UInt64(2))
            builder.add(
                "odd.list", type: 9, payload: large + GGUFBuilder.bytes(UInt64.max) + GGUFBuilder.bytes(UInt64(1)))
            builder.tensors.append(
                .init(name: "odd", dimensions: [64], type: 40, data: [UInt8](repeating: 0, count: 36)))
        }
        #expect(try checkpoint.metadata.size("num_hidden_layers", gguf: "block_count") == 2)
        #expect(checkpoint.source.shape(of: "odd") == [64])
        let error = #expect(throws: WeightLoadingError.self) { try checkpoint.source.tensor(named: "odd") }
        #expect(try #require(error).description.contains("tensor odd has type NVFP4, which is not supported"))
        let name = try refusal(without: ["general.architecture"]) {
            $0.add("general.architecture", type: 8, payload: GGUFBuilder.bytes(UInt64(1)) + [0xFF])
        }
        #expect(name.contains("key general.architecture must be a string, found a string that is not UTF-8"))
    }

    @Test func `a number may be given for each layer`() throws {
        let key = "llama.attention.head_count_kv"
        func open(_ list: [Int32]) throws -> ModelMetadata {
            try self.open(without: [key]) { $0.add(key, list) }.metadata
        }
        #expect(try open([2, 2]).integer("", gguf: "attention.head_count_kv") == 2)
        #expect(try open([2, 4]).layerSizes("", gguf: "attention.head_count_kv", count: 2) == [2, 4])
        let error = #expect(throws: WeightLoadingError.self) {
            try open([2, 4]).integer("", gguf: "attention.head_count_kv")
        }
        #expect(
            try #require(error).description.contains("\(key) of different layers, [2, 4], is not supported yet"))
    }

    @Test func `the architecture is checked first`() throws {
        var builder = GGUFBuilder()
        builder.add("general.architecture", "mamba2")
        let path = try directory.get().write(builder.build(), to: "mamba.gguf")
        let error = #expect(throws: WeightLoadingError.self) {
            try Checkpoint(path: path, families: ModelFamilies([ModelFamily(modelTypes: ["x"], gguf: ["llama"])]))
        }
        #expect(
            try #require(error).description
                == "\(path): general.architecture mamba2 is not supported yet (supported: llama)")
    }

    @Test func `an ill-typed key is named`() throws {
        #expect(
            try refusal(without: ["llama.context_length"]) { $0.add("llama.context_length", "two") }
                .contains("key llama.context_length must be an integer, found the string \"two\""))
        #expect(
            try refusal { $0.add("tokenizer.ggml.token_type", [1]) }
                .contains("key tokenizer.ggml.token_type must be 3 elements, one a token, found 1"))
    }
}
