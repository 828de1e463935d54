internal import Tensors

extension ModelConfiguration {
    /// Reads a GGUF file's metadata (ggml-org/ggml, docs/gguf.md, "Standardized key-value pairs").
    init(gguf source: GGUFSource, tokenizer: GGUFTokenizerMetadata) throws(WeightLoadingError) {
        let metadata = GGUFMetadata(file: source.file, values: source.metadata)
        let limits = ConfigurationLimits(file: source.file)
        guard let architecture = try metadata.string("general.architecture") else {
            throw .missingKey(file: source.file, key: "general.architecture", expected: "an architecture name")
        }
        func key(_ name: String) -> String { "\(architecture).\(name)" }
        let hiddenSize = try limits.size(try metadata.integer(key("embedding_length")), key("embedding_length"))
        let headCount = try limits.size(try metadata.integer(key("attention.head_count")), key("attention.head_count"))
        let keyValueHeadCount = try limits.size(
            try metadata.integer(key("attention.head_count_kv")) ?? headCount, key("attention.head_count_kv"))
        try limits.requireGroups(
            count: headCount, keyValueCount: keyValueHeadCount, key: key("attention.head_count_kv"))
        let statedHeadSize = try metadata.integer(key("attention.key_length"))
        let headSize =
            if let statedHeadSize {
                try limits.size(statedHeadSize, key("attention.key_length"), limit: 1 << 14)
            } else {
                try limits.headSize(hiddenSize: hiddenSize, headCount: headCount, key: key("attention.head_count"))
            }
        let valueSize = try metadata.integer(key("attention.value_length")) ?? headSize
        guard valueSize == headSize else {
            throw .unsupported(
                file: source.file, key: key("attention.value_length"), found: "\(valueSize)",
                supported: "the key length, \(headSize)")
        }
        guard let epsilon = try metadata.number(key("attention.layer_norm_rms_epsilon")) else {
            throw .missingKey(
                file: source.file, key: key("attention.layer_norm_rms_epsilon"), expected: "a positive number")
        }
        let window = try metadata.integer(key("attention.sliding_window"))
        let activation = try metadata.string(key("hidden_activation"))
        self.init(
            file: source.file,
            format: .gguf,
            architecture: architecture,
            hiddenSize: hiddenSize,
            intermediateSize: try limits.size(
                try metadata.integer(key("feed_forward_length")), key("feed_forward_length")),
            layerCount: try limits.size(try metadata.integer(key("block_count")), key("block_count"), limit: 1 << 14),
            headCount: headCount,
            keyValueHeadCount: keyValueHeadCount,
            headSize: headSize,
            vocabularySize: try limits.size(
                try metadata.integer(key("vocab_size")) ?? tokenizer.tokens.count, key("vocab_size"), limit: 1 << 26),
            normEpsilon: try limits.positive(epsilon, key("attention.layer_norm_rms_epsilon")),
            rotary: try Self.rotary(metadata, limits, architecture: architecture, headSize: headSize),
            maxPositionCount: try limits.size(
                try metadata.integer(key("context_length")), key("context_length"), limit: 1 << 30),
            slidingWindow: try window.map { size throws(WeightLoadingError) in
                try limits.size(size, key("attention.sliding_window"), limit: 1 << 30)
            },
            tieWordEmbeddings: source.shape(of: "output.weight") == nil,
            attentionBias: source.shape(of: "blk.0.attn_q.bias") != nil,
            mlpBias: source.shape(of: "blk.0.ffn_gate.bias") != nil,
            hiddenActivation: activation ?? "silu",
            bosTokenID: tokenizer.bosID,
            eosTokenIDs: [tokenizer.eosID, tokenizer.eotID].compactMap { $0 }.uniqued())
    }

    private static func rotary(
        _ metadata: GGUFMetadata, _ limits: ConfigurationLimits, architecture: String, headSize: Int
    ) throws(WeightLoadingError) -> RotaryConfiguration {
        func key(_ name: String) -> String { "\(architecture).rope.\(name)" }
        let size = try metadata.integer(key("dimension_count")) ?? headSize
        try limits.requireRotarySize(size, headSize: headSize, key: key("dimension_count"))
        let theta = try limits.positive(try metadata.number(key("freq_base")) ?? 10_000, key("freq_base"))
        // Files older than `rope.scaling.type` have a linear factor under its old name.
        let oldFactor = try metadata.number(key("scale_linear"))
        let type = try metadata.string(key("scaling.type")) ?? (oldFactor == nil ? "none" : "linear")
        let scaling: RotaryConfiguration.Scaling
        switch type {
        case "none": scaling = .none
        case "linear":
            guard let factor = try metadata.number(key("scaling.factor")) ?? oldFactor else {
                throw .missingKey(file: metadata.file, key: key("scaling.factor"), expected: "a positive number")
            }
            scaling = .linear(factor: try limits.positive(factor, key("scaling.factor")))
        default: scaling = .other(type)
        }
        return RotaryConfiguration(theta: theta, rotarySize: size, scaling: scaling)
    }
}
