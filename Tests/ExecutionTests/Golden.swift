import FoundationEssentials

/// What `Tests/Goldens/make_goldens.py` wrote: numbers that Hugging Face transformers computed.
enum Golden {
    /// A small checkpoint's prompts.
    struct Small: Decodable {
        let prompts: [Prompt]
        /// Of an adapter, the folder of the checkpoint below it.
        let base: String?

        struct Prompt: Decodable {
            let tokens: [Int32]
            let logitsFrom: Int
            /// `[tokens - logitsFrom, vocabularySize]`.
            let logits: [[Float]]
            let greedy: [Int32]

            private enum CodingKeys: String, CodingKey {
                case tokens, logits, greedy
                case logitsFrom = "logits_from"
            }
        }
    }

    /// SmolLM2's prompts.
    struct Real: Decodable {
        let prompts: [Prompt]

        struct Prompt: Decodable {
            let name: String
            let tokens: [Int32]
            let greedy: [Int32]
            let topIDs: [Int]
            let topLogits: [Float]
        }
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Goldens")

    /// Names of the small checkpoints.
    static let checkpoints = [
        "llama-mha-tied", "llama-gqa-untied", "llama3-rope", "llama3-rope-v5", "llama-bias", "llama-bf16", "llama-f16",
        "llama-odd", "llama-gguf", "llama-own-output", "llama-foreign-facts", "llama3-rope-outside", "mistral-window",
        "mistral-layer-types",
    ]

    /// Names of those that gptqmodel and compressed-tensors quantized.
    static let quantized = [
        "awq-4bit", "compressed-w4", "compressed-w4-actorder", "compressed-w8-channel", "gptq-2bit", "gptq-3bit",
        "gptq-4bit", "gptq-4bit-actorder", "gptq-4bit-v2", "gptq-8bit-column", "gptq-dynamic",
    ].map { "quantized-\($0)" }

    /// Names of checkpoints with a byte for each weight, and of a GGUF file of twenty types.
    static let otherTypes =
        ["llama-gguf-mixed"]
        + ["compressed-fp8-channel", "compressed-fp8-tensor", "compressed-int8-channel", "fp8-block"].map {
            "quantized-\($0)"
        }

    /// Names of the families' checkpoints, and of their GGUF files.
    static let families: [String] = {
        let names =
            (try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "families").path)) ?? []
        return names.sorted().flatMap { name in
            ["families/\(name)"]
                + (FileManager.default.fileExists(atPath: folder.appending(path: "families/\(name)/model.gguf").path)
                    ? ["families/\(name)/model.gguf"] : [])
        }
    }()

    /// The path of a family's checkpoint, and its goldens.
    static func family(_ name: String) throws -> (path: String, golden: Small) {
        let directory = name.hasSuffix(".gguf") ? String(name.dropLast("/model.gguf".count)) : name
        return (folder.appending(path: name).path, try read(directory + "/goldens.json"))
    }

    /// Names of the adapters.
    static let adapters: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "adapters").path)) ?? []).sorted()

    static func path(inFolder name: String) -> String { folder.appending(path: name).path }

    /// The directory of an adapter.
    static func adapter(_ name: String) -> String { folder.appending(path: "adapters/\(name)").path }

    /// What the adapter's model computes with merged weights.
    static func merged(_ name: String) throws -> Small { try read("adapters/\(name)/goldens.json") }

    /// The path of a small checkpoint.
    static func path(_ checkpoint: String) -> String {
        let path = folder.appending(path: "checkpoints/\(checkpoint)").path
        return checkpoint.hasPrefix("llama-gguf") ? path + "/model.gguf" : path
    }

    static func small(_ checkpoint: String) throws -> Small { try read("checkpoints/\(checkpoint)/goldens.json") }

    static func real() throws -> Real { try read("smollm2.json") }

    /// Those of a directory that holds SmolLM2 as a tool quantized it (`make_goldens.py --directory`).
    static func real(in directory: String) throws -> Real {
        try JSONDecoder().decode(Real.self, from: Data(contentsOf: URL(filePath: directory + "/goldens.json")))
    }

    private static func read<Value: Decodable>(_ name: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(contentsOf: folder.appending(path: name)))
    }
}
