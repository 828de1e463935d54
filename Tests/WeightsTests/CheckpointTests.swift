import CLibrary
import Tensors
import Testing

@testable import Weights

@Suite struct CheckpointTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write(safetensors([("model.norm.weight", [1, 1], [2])]), to: "model.safetensors")
        try directory.write("{}", to: "tokenizer.json")
    }

    /// A valid configuration with some keys replaced; an empty text removes the key.
    private func open(_ changes: [String: String] = [:]) throws -> Checkpoint {
        var keys = [
            "architectures": #"["LlamaForCausalLM"]"#, "hidden_size": "64", "intermediate_size": "96",
            "num_hidden_layers": "2", "num_attention_heads": "4", "num_key_value_heads": "2", "vocab_size": "32",
            "max_position_embeddings": "128", "rms_norm_eps": "1e-05", "hidden_act": "\"silu\"",
        ]
        for (key, value) in changes { keys[key] = value.isEmpty ? nil : value }
        let members = keys.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
        try directory.write("{\(members)}", to: "config.json")
        return try Checkpoint(path: directory.path)
    }

    private func refusal(_ changes: [String: String]) throws -> String {
        let error = #expect(throws: WeightLoadingError.self) { try open(changes) }
        return try #require(error).description
    }

    @Test func `reads a configuration with defaults`() throws {
        let checkpoint = try open()
        #expect(checkpoint.metadata.file == directory.path + "/config.json")
        #expect(checkpoint.metadata.format == .huggingFace && checkpoint.family == "LlamaForCausalLM")
        #expect(checkpoint.shape == ModelShape(vocabularySize: 32, maxPositionCount: 128))
        #expect(checkpoint.tokenizer == .tokenizerJSON(directory.path + "/tokenizer.json", adding: []))
        #expect(checkpoint.chatTemplates.isEmpty)
        #expect(checkpoint.loaderName == "dense")
        #expect(checkpoint.source.tensorNames == ["model.norm.weight"])
    }

    @Test func `a single file has precedence over an index`() throws {
        try directory.write(
            #"{"weight_map":{"a":"model-00001-of-00002.safetensors"}}"#, to: "model.safetensors.index.json")
        #expect(try open().source.tensorNames == ["model.norm.weight"])
    }

    @Test func `a tokenizer is a directory or a file`() throws {
        #expect(
            try TokenizerOrigin(path: directory.path) == .tokenizerJSON(directory.path + "/tokenizer.json", adding: []))
        #expect(try TokenizerOrigin(path: "/x/other.json") == .tokenizerJSON("/x/other.json", adding: []))
    }

    @Test func `reads the stated values`() throws {
        let shape = try open(["bos_token_id": "1", "eos_token_id": "[2,3]"]).shape
        #expect(shape.bosTokenID == 1)
        #expect(shape.eosTokenIDs == [2, 3])
        #expect(try open(["eos_token_id": "-1"]).shape.eosTokenIDs == [])
    }

    @Test(arguments: [
        (#"{"type":"linear","factor":2}"#, 256), (#"{"rope_type":"dynamic","factor":2}"#, 256),
        (#"{"rope_type":"yarn","factor":4,"original_max_position_embeddings":64}"#, 256),
        (#"{"rope_type":"yarn","factor":4,"original_max_position_embeddings":16}"#, 128),
        (#"{"rope_type":"llama3","factor":8}"#, 128), ("null", 128),
    ])
    func `scaled positions allow longer sequences`(scaling: String, expected: Int) throws {
        #expect(try open(["rope_scaling": scaling]).shape.extendedPositionCount == expected)
    }

    @Test(arguments: [
        ("torch_dtype", "bfloat16", ElementType.bf16), ("dtype", "float16", .f16), ("dtype", "float32", .f32),
    ])
    func `reads the type under its old and new key`(key: String, value: String, expected: ElementType) throws {
        #expect(try open([key: "\"\(value)\""]).shape.elementType == expected)
    }

    @Test func `end tokens of both files are used`() throws {
        try directory.write(#"{"eos_token_id":[9,2]}"#, to: "generation_config.json")
        #expect(try open(["eos_token_id": "2"]).shape.eosTokenIDs == [9, 2])
    }

    @Test(arguments: ["architectures", "vocab_size", "max_position_embeddings"])
    func `a missing key is named with its file`(key: String) throws {
        let description = try refusal([key: ""])
        #expect(description.contains("config.json: key \(key) is missing"))
    }

    @Test(arguments: [
        ("vocab_size", "3.5"), ("vocab_size", "0"), ("vocab_size", "9223372036854775807"),
        ("max_position_embeddings", "\"128\""), ("architectures", "[]"), ("architectures", "1"), ("model_type", "1"),
        ("eos_token_id", "[1,\"a\"]"), ("bos_token_id", "{}"), ("rope_scaling", "[]"),
    ])
    func `an ill-typed or impossible key is named with its file`(key: String, value: String) throws {
        let description = try refusal([key: value])
        #expect(description.contains("config.json: key \(key) must be"), "\(description)")
    }

    @Test func `an unknown quantization is refused by name`() throws {
        let description = try refusal(["quantization_config": "{\"quant_method\":\"bitsandbytes\"}"])
        #expect(description.contains("quantization_config.quant_method bitsandbytes is not supported yet"))
    }

    @Test func `the quantization chooses the loader`() throws {
        #expect(try open().loaderName == "dense")
        let gptq = #"{"quant_method":"gptq","bits":4,"group_size":128}"#
        #expect(try open(["quantization_config": gptq]).loaderName == "gptq")
        try directory.write(#"{"bits":4,"group_size":128}"#, to: "quantize_config.json")
        #expect(try open().loaderName == "gptq")
    }

    @Test func `broken JSON is refused with its file`() throws {
        try directory.write("{\"hidden_size\":", to: "config.json")
        let error = #expect(throws: WeightLoadingError.self) { try Checkpoint(path: directory.path) }
        #expect(try #require(error).description.contains("config.json is malformed: invalid JSON at byte 15"))
    }

    @Test(arguments: [
        (#"{"chat_template":"{{ a }}"}"#, ["default": "{{ a }}"]), (#"{"chat_template":null}"#, [:]), ("{}", [:]),
        (
            #"{"chat_template":[{"name":"tool_use","template":"t"},{"name":"default","template":"d"}]}"#,
            ["default": "d", "tool_use": "t"]
        ),
        (#"{"chat_template":[{"name":"rag","template":"r"}]}"#, ["rag": "r"]),
    ])
    func `finds the chat templates`(config: String, expected: [String: String]) throws {
        try directory.write(config, to: "tokenizer_config.json")
        #expect(try open().chatTemplates == expected)
    }

    @Test func `a processor's template is used if there is no other`() throws {
        try directory.write(#"{"chat_template":"p"}"#, to: "chat_template.json")
        #expect(try open().chatTemplates == ["default": "p"])
        try directory.write(#"{"chat_template":"t"}"#, to: "tokenizer_config.json")
        #expect(try open().chatTemplates == ["default": "t"])
    }

    @Test(arguments: [
        (#"{"chat_template":5}"#, "key chat_template must be a string or a list of templates"),
        (#"{"chat_template":["x"]}"#, "key chat_template must be a list of objects with name and template"),
        (#"{"added_tokens_decoder":[]}"#, "key added_tokens_decoder must be an object"),
        (#"{"added_tokens_decoder":{"x":{"content":"a"}}}"#, "key added_tokens_decoder.x must be named by an id"),
        (#"{"added_tokens_decoder":{"5":"a"}}"#, "key added_tokens_decoder.5 must be an object with content"),
        ("[]", "the root is an array"), ("{", "is malformed"),
    ])
    func `a bad tokenizer configuration is named with its file`(config: String, words: String) throws {
        try directory.write(config, to: "tokenizer_config.json")
        let description = try refusal([:])
        #expect(description.contains("tokenizer_config.json") && description.contains(words), "\(description)")
    }

    @Test func `a template file wins and special tokens are read`() throws {
        try directory.write(
            #"{"chat_template":"old","bos_token":"<s>","eos_token":{"content":"</s>"},"pad_token":null}"#,
            to: "tokenizer_config.json")
        try directory.write("new", to: "chat_template.jinja")
        let checkpoint = try open()
        #expect(checkpoint.chatTemplates == ["default": "new"])
        #expect(checkpoint.specialTokens == ["bos_token": "<s>", "eos_token": "</s>"])
    }

    @Test func `a named pipe is refused without waiting`() throws {
        let pipe = directory.path + "/pipe.gguf"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(throws: WeightLoadingError.unreadable(file: pipe, reason: "not a regular file")) {
            try Checkpoint(path: pipe)
        }
    }

    @Test func `missing files are named`() throws {
        let empty = try TemporaryDirectory()
        func refusal(_ path: String) throws -> String {
            let error = #expect(throws: WeightLoadingError.self) { try Checkpoint(path: path) }
            return try #require(error).description
        }
        #expect(try refusal(empty.path + "/nowhere").contains("there is no such file or directory"))
        #expect(try refusal(empty.path).contains("config.json cannot be read"))
        try empty.write(#"{"architectures":["LlamaForCausalLM"]}"#, to: "config.json")
        #expect(try refusal(empty.path).contains("model.safetensors cannot be read"))
        try empty.write("x", to: "pytorch_model.bin")
        #expect(try refusal(empty.path).contains("pytorch_model.bin belongs to a pickle, which has to be converted"))
        #expect(try refusal(empty.write("x", to: "model.bin")).contains("a model is a .gguf file or a directory"))
        #expect(try refusal(empty.write("", to: "empty.gguf")).contains("empty.gguf is malformed: the file is empty"))
    }
}
