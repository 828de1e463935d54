internal import JSON
internal import Tensors

extension ModelConfiguration {
    /// Reads a Hugging Face configuration, in the spelling of transformers 4 or 5. `generation` is the
    /// `generation_config.json` where there is one; `output` settles tying where the configuration is silent.
    init(
        huggingFace config: JSONDocument, generation: JSONDocument?, output: OutputMatrix
    ) throws(WeightLoadingError) {
        let limits = ConfigurationLimits(file: config.file)
        let hiddenSize = try limits.size(try config.integer("hidden_size"), "hidden_size")
        let headCount = try limits.size(try config.integer("num_attention_heads"), "num_attention_heads")
        let keyValueHeadCount = try limits.size(
            try config.integer("num_key_value_heads") ?? headCount, "num_key_value_heads")
        try limits.requireGroups(count: headCount, keyValueCount: keyValueHeadCount, key: "num_key_value_heads")
        let statedHeadSize = try config.integer("head_dim")
        let headSize =
            if let statedHeadSize {
                try limits.size(statedHeadSize, "head_dim", limit: 1 << 14)
            } else {
                try limits.headSize(hiddenSize: hiddenSize, headCount: headCount, key: "num_attention_heads")
            }
        let maxPositionCount = try limits.size(
            try config.integer("max_position_embeddings"), "max_position_embeddings", limit: 1 << 30)
        let window = try config.integer("sliding_window")
        let usesWindow = try config.bool("use_sliding_window") ?? true
        let eos = try Self.tokenIDs(config, "eos_token_id")
        let statedTying = try config.bool("tie_word_embeddings")
        let generationEOS = try generation.map { document throws(WeightLoadingError) in
            try Self.tokenIDs(document, "eos_token_id")
        }
        self.init(
            file: config.file,
            format: .huggingFace,
            architecture: try Self.architecture(config),
            hiddenSize: hiddenSize,
            intermediateSize: try limits.size(try config.integer("intermediate_size"), "intermediate_size"),
            layerCount: try limits.size(try config.integer("num_hidden_layers"), "num_hidden_layers", limit: 1 << 14),
            headCount: headCount,
            keyValueHeadCount: keyValueHeadCount,
            headSize: headSize,
            vocabularySize: try limits.size(try config.integer("vocab_size"), "vocab_size", limit: 1 << 26),
            normEpsilon: try limits.positive(try config.number("rms_norm_eps") ?? 1e-6, "rms_norm_eps"),
            rotary: try Self.rotary(config, limits, headSize: headSize, maxPositionCount: maxPositionCount),
            maxPositionCount: maxPositionCount,
            slidingWindow: usesWindow
                ? try window.map { size throws(WeightLoadingError) in
                    try limits.size(size, "sliding_window", limit: 1 << 30)
                } : nil,
            // Who quantizes a tied output matrix unties it, whatever the configuration still says.
            tieWordEmbeddings: output != .packed && statedTying ?? (output == .none),
            attentionBias: try config.bool("attention_bias") ?? false,
            mlpBias: try config.bool("mlp_bias") ?? false,
            hiddenActivation: try config.string("hidden_act") ?? "silu",
            bosTokenID: try Self.tokenIDs(config, "bos_token_id").first,
            eosTokenIDs: ((generationEOS ?? []) + eos).uniqued(),
            elementType: try Self.elementType(config))
    }

    /// Whether the checkpoint has an output matrix of its own.
    enum OutputMatrix: Sendable {
        case none, dense, packed
    }

    private static func architecture(_ config: JSONDocument) throws(WeightLoadingError) -> String {
        let expected = "a list of one architecture name"
        guard let value = config.value("architectures") else {
            throw .missingKey(file: config.file, key: "architectures", expected: expected)
        }
        guard case .array(let elements) = value, case .string(let name) = elements.first else {
            throw config.illTyped("architectures", expected, value)
        }
        return name
    }

    /// One token id or a list of them; none when absent or null.
    private static func tokenIDs(_ document: JSONDocument, _ key: String) throws(WeightLoadingError) -> [Int] {
        let expected = "a token id or a list of them"
        switch document.value(key) {
        case nil: return []
        case .integer(let id) where id >= 0: return [id]
        case .array(let elements):
            var ids: [Int] = []
            for element in elements {
                guard case .integer(let id) = element, id >= 0 else {
                    throw document.illTyped(key, expected, element)
                }
                ids.append(id)
            }
            return ids
        case .some(let other): throw document.illTyped(key, expected, other)
        }
    }

    /// `dtype`, or `torch_dtype` before transformers 5.
    private static func elementType(_ config: JSONDocument) throws(WeightLoadingError) -> ElementType? {
        let key = config.value("dtype") == nil ? "torch_dtype" : "dtype"
        return switch try config.string(key) {
        case "float32": .f32
        case "float16": .f16
        case "bfloat16": .bf16
        default: nil
        }
    }

    /// `rope_parameters`, or `rope_theta` and `rope_scaling` before transformers 5.
    private static func rotary(
        _ config: JSONDocument, _ limits: ConfigurationLimits, headSize: Int, maxPositionCount: Int
    ) throws(WeightLoadingError) -> RotaryConfiguration {
        let parameters = try config.object("rope_parameters")
        let oldScaling = try config.object("rope_scaling")
        let scaling = parameters ?? oldScaling
        func either(_ key: String) throws(WeightLoadingError) -> Double? {
            let (new, old) = (try parameters?.number(key), try config.number(key))
            return new ?? old
        }
        let theta = try either("rope_theta") ?? 10_000
        let fraction = try either("partial_rotary_factor") ?? 1
        guard fraction > 0, fraction <= 1 else {
            throw .illTypedKey(
                file: config.file, key: "partial_rotary_factor", expected: "a number above 0, up to 1",
                found: "\(fraction)")
        }
        let rotarySize = Int(Double(headSize) * fraction)
        try limits.requireRotarySize(
            rotarySize, headSize: headSize, key: fraction < 1 ? "partial_rotary_factor" : "head_dim")
        return RotaryConfiguration(
            theta: try limits.positive(theta, "rope_theta"),
            rotarySize: rotarySize,
            scaling: try scaling.map { document throws(WeightLoadingError) in
                try Self.scaling(document, limits, maxPositionCount: maxPositionCount)
            } ?? .none)
    }

    private static func scaling(
        _ document: JSONDocument, _ limits: ConfigurationLimits, maxPositionCount: Int
    ) throws(WeightLoadingError) -> RotaryConfiguration.Scaling {
        func required(_ key: String) throws(WeightLoadingError) -> Double {
            guard let number = try document.number(key) else {
                throw .missingKey(file: document.file, key: document.path(key), expected: "a number")
            }
            return try limits.positive(number, document.path(key))
        }
        // The key was `type` once.
        let (type, oldType) = (try document.string("rope_type"), try document.string("type"))
        switch type ?? oldType ?? "default" {
        case "default": return .none
        case "linear": return .linear(factor: try required("factor"))
        case "llama3":
            let (low, high) = (try required("low_freq_factor"), try required("high_freq_factor"))
            guard low < high else {
                throw .illTypedKey(
                    file: document.file, key: document.path("high_freq_factor"),
                    expected: "more than low_freq_factor, \(low)", found: "\(high)")
            }
            return .llama3(
                factor: try required("factor"), lowFrequencyFactor: low, highFrequencyFactor: high,
                originalMaxPositionCount: try limits.size(
                    try document.integer("original_max_position_embeddings") ?? maxPositionCount,
                    document.path("original_max_position_embeddings"), limit: 1 << 30))
        case let other: return .other(other)
        }
    }
}

extension Array where Element: Hashable {
    /// Each element's first appearance.
    func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
