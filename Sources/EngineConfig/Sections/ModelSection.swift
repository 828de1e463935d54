import ModelHub
public import Weights

/// Which model to serve.
public struct ModelSection: Sendable, Equatable {
    /// A Hugging Face directory or a .gguf file; a name in the cache of models has become its path.
    public var path = ""
    /// The name that clients ask for.
    public var name = ""
    /// The type that unquantized weights have in memory.
    public var dtype = WeightType.auto
    /// The name of the `WeightLoader`, or `auto`.
    public var loader = "auto"
    /// Bytes of the device's memory that the weights of experts may take; nil: all of them are there.
    public var expertMemory: Int?
    /// The longest prompt and answer together, in tokens; nil for the model's own limit.
    public var maxModelLen: Int?
    /// Where the tokenizer is, if not beside the weights.
    public var tokenizer: String?
    /// A Jinja file to use instead of the model's own chat template.
    public var chatTemplate: String?

    init() {}
}

extension ModelSection: ConfigurationSection {
    static let name = "model"
    static let summary = "which model to serve"
    static let keys: [ConfigurationKey<ModelSection>] = [
        ConfigurationKey(
            "path", required: \.path, .modelPath("the path or name of a model"),
            example: "~/.cache/quire/models/smollm2-135m-instruct.gguf",
            "A Hugging Face directory or a .gguf file (the first of several parts), relative to this file's folder; or the "
                + "name of a model that quire pull has fetched, ORG/NAME or ORG/NAME:REVISION"),
        {
            var key = ConfigurationKey(
                "name", \ModelSection.name, .text("a model name"), "The name that clients ask for")
            key.unset = "the last part of path, without .gguf; of a pulled model its NAME"
            key.example = "smollm2-135m-instruct"
            return key
        }(),
        ConfigurationKey(
            "dtype", \.dtype, .choice,
            "Type in which unquantized weights are kept; auto is the checkpoint's. Quantized weights stay quantized; with "
                + "f32, activations keep 32-bit precision"),
        ConfigurationKey(
            "loader", \.loader, .name(of: "a weight loader"),
            "How to read the checkpoint: auto finds its format; gguf, awq, gptq, compressed-tensors, fp8 and mxfp4 demand one; "
                + "dense dequantizes the weights"),
        ConfigurationKey(
            "expert_memory", optional: \.expertMemory, .byteCount(in: 0...(1 << 50)),
            unset: "all experts are in the device's memory", example: "12GiB",
            "For models with experts on a device with memory of its own: the memory that their weights take there at most; "
                + "the device reads the others from the host's memory"),
        ConfigurationKey(
            "max_model_len", optional: \.maxModelLen, .integer(in: 1...Int(Int32.max)), unset: "the model's own limit",
            example: "4096", "Maximum length of a sequence, prompt and answer together, in tokens"),
        ConfigurationKey(
            "tokenizer", optional: \.tokenizer, .path("the path of a tokenizer"), unset: "the model's own",
            example: "tokenizer.json", "A tokenizer.json, or a directory or .gguf file that has a tokenizer"),
        ConfigurationKey(
            "chat_template", optional: \.chatTemplate, .path("the path of a chat template"), unset: "the model's own",
            example: "template.jinja", "A Jinja file that turns messages into a prompt"),
    ]

    mutating func complete() {
        guard name.isEmpty else { return }
        // The last part of a snapshot's path is the hash of a commit.
        if let model = HubCache.modelName(ofSnapshot: path) { return name = model }
        let last = path.split(separator: "/").last.map { String($0) } ?? path
        name = last.hasSuffix(".gguf") && last != ".gguf" ? String(last.dropLast(5)) : last
    }
}
