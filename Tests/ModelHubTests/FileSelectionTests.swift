import Testing

@testable import ModelHub

@Suite struct FileSelectionTests {
    private static let model = try? ModelReference("org/name")

    private static func selection(_ paths: [String], pattern: String? = nil) throws -> FileSelection {
        let files = paths.map { #"{"rfilename": "\#($0)", "size": 4920000000}"# }.joined(separator: ", ")
        let json = #"{"sha": "0123456789abcdef0123456789abcdef01234567", "siblings": [\#(files)]}"#
        return try FileSelection(
            try HubListing(json: Array(json.utf8), url: "https://hub"), try #require(model), pattern: pattern)
    }

    @Test("safetensors come with the files beside them; pickles, code, pictures and second copies do not")
    func safetensors() throws {
        let wanted = [
            "additional_chat_templates/tool_use.jinja", "chat_template.jinja", "config.json", "generation_config.json",
            "tokenizer.json", "tokenizer_config.json",
        ]
        let others = [
            ".gitattributes", "README.md", "modeling_custom.py", "onnx/model.onnx", "original/consolidated.00.pth",
            "original/params.json", "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "training_args.bin",
            "consolidated.safetensors", "adapter_model.safetensors", "name-Q4_K_M.gguf", "sub/config.json",
        ]
        let single = try Self.selection(wanted + others + ["model.safetensors", "model.safetensors.index.json"])
        #expect(single.files == wanted + ["model.safetensors"])
        #expect(single.index == nil)
        let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
        let sharded = try Self.selection(wanted + others + shards + ["model.safetensors.index.json"])
        #expect(sharded.files == wanted)
        #expect(sharded.index == "model.safetensors.index.json")
    }

    private static let quantizations = [
        "BF16/m-BF16-00002-of-00002.gguf", "BF16/m-BF16-00001-of-00002.gguf", "imatrix_unsloth.gguf", "m-Q4_K_M.gguf",
        "m-Q4_K_S.gguf", "m-UD-Q4_K_M.gguf", "m-Q8_0.gguf", "mmproj-F16.gguf", "config.json",
    ]

    @Test(
        "a pattern chooses one GGUF model, with all of its parts",
        arguments: [
            ("Q8_0", ["m-Q8_0.gguf"]), ("q4_k_s", ["m-Q4_K_S.gguf"]), ("Q4_K_M", ["m-Q4_K_M.gguf"]),
            ("UD-Q4_K_M", ["m-UD-Q4_K_M.gguf"]), ("m-Q4_K_M.gguf", ["m-Q4_K_M.gguf"]), ("*8_0*", ["m-Q8_0.gguf"]),
            ("m-Q4_K_[S].gguf", ["m-Q4_K_S.gguf"]),
            ("BF16", ["BF16/m-BF16-00001-of-00002.gguf", "BF16/m-BF16-00002-of-00002.gguf"]),
            ("*BF16*", ["BF16/m-BF16-00001-of-00002.gguf", "BF16/m-BF16-00002-of-00002.gguf"]),
        ])
    func pattern(pattern: String, files: [String]) throws {
        #expect(try Self.selection(Self.quantizations, pattern: pattern).files == files)
    }

    @Test("several models are listed with their sizes, and a pattern that fits none too")
    func ambiguous() throws {
        let several = #expect(throws: HubError.self) { try Self.selection(Self.quantizations) }
        let text = try #require(several?.description)
        #expect(text.contains("m-Q8_0.gguf (4.92 GB)"))
        #expect(text.contains("BF16/m-BF16-00001-of-00002.gguf and 1 more (9.84 GB)"))
        #expect(!text.contains("mmproj") && !text.contains("imatrix"))
        let some = #expect(throws: HubError.self) { try Self.selection(Self.quantizations, pattern: "Q4") }
        #expect(some?.description.contains("m-Q4_K_S.gguf") == true)
        #expect(some?.description.contains("m-Q8_0.gguf") == false)
        let none = #expect(throws: HubError.self) { try Self.selection(Self.quantizations, pattern: "Q5") }
        #expect(none?.description.contains("m-Q8_0.gguf") == true)
    }

    @Test("the only GGUF model needs no pattern, and an incomplete one is refused")
    func single() throws {
        #expect(try Self.selection(["README.md", "x.gguf"]).files == ["x.gguf"])
        let error = #expect(throws: HubError.self) {
            try Self.selection(["x-00001-of-00003.gguf", "x-00003-of-00003.gguf"])
        }
        #expect(error?.description.contains("x-00002-of-00003.gguf") == true)
    }

    @Test("a repository of pickles says what it has")
    func pickles() {
        let error = #expect(throws: HubError.self) { try Self.selection(["config.json", "pytorch_model.bin"]) }
        #expect(error?.description.contains("pytorch_model.bin") == true)
        #expect(error?.isUserError == true)
    }
}
