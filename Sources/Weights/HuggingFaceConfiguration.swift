internal import JSON
internal import Tensors

extension ModelConfiguration {
    /// Reads a Hugging Face configuration of transformers 4 or 5. `generation` is the `generation_config.json` if there
    /// is one; `output` is the output matrix of the checkpoint, which decides whether it is tied.
    init(
        huggingFace config: JSONDocument, generation: JSONDocument?, output: OutputMatrix
    ) throws(WeightLoadingError) {
        let limits = ConfigurationLimits(file: config.file)
        let family = HuggingFaceFamily(architecture: try HuggingFaceFamily.architecture(of: config))
        let hiddenSize = try limits.size(try config.integer("hidden_size"), "hidden_size")
        let headCount = try limits.size(try config.integer("num_attention_heads"), "num_attention_heads")
        let absentKeyValueHeadCount =
            config["num_key_value_heads"].isMissing ? family.defaultKeyValueHeadCount : nil
        let keyValueHeadCount = try limits.size(
            try config.integer("num_key_value_heads") ?? absentKeyValueHeadCount ?? headCount, "num_key_value_heads")
        try limits.requireGroups(count: headCount, keyValueCount: keyValueHeadCount, key: "num_key_value_heads")
        let statedHeadSize = try config.integer("head_dim")
        let headSize =
            if let statedHeadSize {
                try limits.size(statedHeadSize, "head_dim", limit: 1 << 14)
            } else {
                try limits.headSize(hiddenSize: hiddenSize, headCount: headCount, key: "num_attention_heads")
            }
        let layerCount = try limits.size(
            try config.integer("num_hidden_layers"), "num_hidden_layers", limit: 1 << 14)
        let maxPositionCount = try limits.size(
            try config.integer("max_position_embeddings") ?? family.defaultMaxPositionCount,
            "max_position_embeddings", limit: 1 << 30)
        let window = try Self.window(config, limits, family, layerCount: layerCount)
        let eos = try Self.tokenIDs(config, "eos_token_id")
        let statedTying = try config.bool("tie_word_embeddings")
        let generationEOS = try generation.map { document throws(WeightLoadingError) in
            try Self.tokenIDs(document, "eos_token_id")
        }
        let activation = try config.string("hidden_act") ?? "silu"
        self.init(
            file: config.file,
            format: .huggingFace,
            architecture: family.architecture,
            hiddenSize: hiddenSize,
            intermediateSize: try limits.size(try config.integer("intermediate_size"), "intermediate_size"),
            layerCount: layerCount,
            headCount: headCount,
            keyValueHeadCount: keyValueHeadCount,
            headSize: headSize,
            vocabularySize: try limits.size(try config.integer("vocab_size"), "vocab_size", limit: 1 << 26),
            normEpsilon: try limits.positive(try config.number("rms_norm_eps") ?? 1e-6, "rms_norm_eps"),
            rotary: try Self.rotary(config, limits, family, headSize: headSize, maxPositionCount: maxPositionCount),
            maxPositionCount: maxPositionCount,
            slidingWindow: window.size,
            layersWithoutWindow: window.layersWithout,
            tieWordEmbeddings: output.isTied(stated: statedTying),
            attentionBias: try family.readsBiases ? config.bool("attention_bias") ?? false : false,
            mlpBias: try family.readsBiases ? config.bool("mlp_bias") ?? false : false,
            // `swish` is another name of `silu`.
            hiddenActivation: activation == "swish" ? "silu" : activation,
            bosTokenID: try Self.tokenIDs(config, "bos_token_id").first,
            eosTokenIDs: ((generationEOS ?? []) + eos).uniqued(),
            elementType: try Self.elementType(config))
    }

    /// The output matrix in a checkpoint.
    enum OutputMatrix: Sendable {
        /// There is none.
        case none
        /// A copy of the embedding table.
        case embedding
        /// A separate matrix.
        case own

        /// Whether the embedding table is the output matrix; `stated` is the configuration's value. As in transformers,
        /// a separate matrix is used even if the configuration says that it is tied.
        func isTied(stated: Bool?) -> Bool {
            switch self {
            case .none: stated ?? true
            case .embedding: true
            case .own: false
            }
        }
    }

    /// The size of the sliding window, and the layers without one.
    private static func window(
        _ config: JSONDocument, _ limits: ConfigurationLimits, _ family: HuggingFaceFamily, layerCount: Int
    ) throws(WeightLoadingError) -> (size: Int?, layersWithout: Set<Int>) {
        guard case .stated(let absent) = family.window else { return (nil, []) }
        let key = "sliding_window"
        guard let stated = try config.integer(key) ?? (config[key].isMissing ? absent : nil) else {
            return (nil, [])
        }
        let size = try limits.size(stated, key, limit: 1 << 30)
        guard config.value("layer_types") != nil else { return (size, []) }
        let types = try config.strings("layer_types")
        guard types.count >= layerCount else {
            throw .illTypedKey(
                file: config.file, key: "layer_types", expected: "\(layerCount) elements, one a layer",
                found: "\(types.count)")
        }
        var layersWithout: Set<Int> = []
        for (layer, type) in types.prefix(layerCount).enumerated() {
            switch type {
            case "full_attention": layersWithout.insert(layer)
            case "sliding_attention": break
            default:
                throw .unsupported(
                    file: config.file, key: "layer_types", found: type, supported: "full_attention, sliding_attention")
            }
        }
        return (layersWithout.count == layerCount ? nil : size, layersWithout.count == layerCount ? [] : layersWithout)
    }

    /// One token id or a list of them; empty when absent or null. Some writers store a negative number for "none".
    private static func tokenIDs(_ document: JSONDocument, _ key: String) throws(WeightLoadingError) -> [Int] {
        let expected = "a token id or a list of them"
        switch document.value(key) {
        case nil: return []
        case .integer(let id): return id >= 0 ? [id] : []
        case .array(let elements):
            var ids: [Int] = []
            for element in elements {
                guard case .integer(let id) = element else {
                    throw document.error(key, expected: expected, found: element)
                }
                if id >= 0 { ids.append(id) }
            }
            return ids
        case .some(let other): throw document.error(key, expected: expected, found: other)
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

    /// `rope_parameters`, or `rope_theta` and `rope_scaling` before transformers 5, which still reads the latter first.
    private static func rotary(
        _ config: JSONDocument, _ limits: ConfigurationLimits, _ family: HuggingFaceFamily, headSize: Int,
        maxPositionCount: Int
    ) throws(WeightLoadingError) -> RotaryConfiguration {
        let (parameters, oldScaling) = (try config.object("rope_parameters"), try config.object("rope_scaling"))
        let document = oldScaling.flatMap { $0.members.isEmpty ? nil : $0 } ?? parameters
        func either(_ key: String) throws(WeightLoadingError) -> Double? {
            let (inner, outer) = (try document?.number(key), try config.number(key))
            return inner ?? outer
        }
        let theta = try either("rope_theta") ?? 10_000
        let scaling = try document.map { document throws(WeightLoadingError) in
            try Self.scaling(document, config, limits, maxPositionCount: maxPositionCount)
        }
        // A factor that the family ignores is not checked.
        let counts = family.readsPartialRotaryFactor || (scaling ?? .none) != .none
        let fraction = counts ? try either("partial_rotary_factor") ?? 1 : 1
        var rotarySize = headSize
        if fraction != 1 {
            guard fraction > 0, fraction <= 1 else {
                throw .illTypedKey(
                    file: config.file, key: "partial_rotary_factor", expected: "a number above 0, up to 1",
                    found: "\(fraction)")
            }
            rotarySize = Int(Double(headSize) * fraction)
            guard rotarySize == headSize || family.readsPartialRotaryFactor else {
                // transformers fails in this case as well.
                throw .unsupported(
                    file: config.file, key: "partial_rotary_factor", found: "\(fraction)",
                    supported: "1 where positions are scaled")
            }
        }
        try limits.requireRotarySize(
            rotarySize, headSize: headSize, key: rotarySize < headSize ? "partial_rotary_factor" : "head_dim")
        return RotaryConfiguration(
            theta: try limits.positive(theta, "rope_theta"), rotarySize: rotarySize, scaling: scaling ?? .none)
    }

    private static func scaling(
        _ document: JSONDocument, _ config: JSONDocument, _ limits: ConfigurationLimits, maxPositionCount: Int
    ) throws(WeightLoadingError) -> RotaryConfiguration.Scaling {
        func required(_ key: String) throws(WeightLoadingError) -> Double {
            guard let number = try document.number(key) else {
                throw .missingKey(file: document.file, key: document.path(key), expected: "a number")
            }
            return try limits.positive(number, document.path(key))
        }
        // Older configurations use the key `type`.
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
            // The key beside the parameters has precedence over the one inside of them.
            let key = "original_max_position_embeddings"
            let (outer, inner) = (try config.integer(key), try document.integer(key))
            return .llama3(
                factor: try required("factor"), lowFrequencyFactor: low, highFrequencyFactor: high,
                originalMaxPositionCount: try limits.size(
                    outer ?? inner ?? maxPositionCount, outer == nil ? document.path(key) : key, limit: 1 << 30))
        case let other: return .other(other)
        }
    }
}

extension Array where Element: Hashable {
    /// The elements without repetitions.
    func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
