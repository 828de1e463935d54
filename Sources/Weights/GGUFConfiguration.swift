import Tensors
import Tokenization

extension ModelConfiguration {
    /// Reads a GGUF file's metadata (ggml-org/ggml, docs/gguf.md, "Standardized key-value pairs").
    init(gguf source: GGUFSource, vocabulary: GGUFVocabulary) throws(WeightLoadingError) {
        let metadata = GGUFMetadata(file: source.file, values: source.metadata)
        let limits = ConfigurationLimits(file: source.file)
        let architecture = try Self.architecture(metadata)
        func key(_ name: String) -> String { "\(architecture).\(name)" }
        if let experts = try metadata.integer(key("expert_count")), experts > 0 {
            throw .unsupported(
                file: source.file, key: key("expert_count"), found: "\(experts)", supported: "models without experts")
        }
        let hiddenSize = try limits.size(try metadata.integer(key("embedding_length")), key("embedding_length"))
        let headCount = try limits.size(
            try metadata.layerInteger(key("attention.head_count")), key("attention.head_count"))
        let keyValueHeadCount = try limits.size(
            try metadata.layerInteger(key("attention.head_count_kv")) ?? headCount, key("attention.head_count_kv"))
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
        // In llama.cpp, `llama` has no sliding window and always uses SiLU.
        let isLlama = architecture == "llama"
        let window = isLlama ? nil : try metadata.integer(key("attention.sliding_window"))
        let activation = isLlama ? nil : try metadata.string(key("hidden_activation"))
        self.init(
            file: source.file,
            format: .gguf,
            architecture: architecture,
            hiddenSize: hiddenSize,
            intermediateSize: try limits.size(
                try metadata.layerInteger(key("feed_forward_length")), key("feed_forward_length")),
            layerCount: try limits.size(try metadata.integer(key("block_count")), key("block_count"), limit: 1 << 14),
            headCount: headCount,
            keyValueHeadCount: keyValueHeadCount,
            headSize: headSize,
            // As in llama.cpp, not from the key `vocab_size`, which tools that add tokens do not update.
            vocabularySize: try limits.size(vocabulary.tokens.count, "tokenizer.ggml.tokens", limit: 1 << 26),
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
            bosTokenID: vocabulary.bosID.map { Int($0) },
            eosTokenIDs: vocabulary.endIDs.map { Int($0) })
    }

    /// The architecture's name, which is the prefix of most other keys.
    static func architecture(_ metadata: GGUFMetadata) throws(WeightLoadingError) -> String {
        guard let architecture = try metadata.string("general.architecture") else {
            throw .missingKey(file: metadata.file, key: "general.architecture", expected: "an architecture name")
        }
        return architecture
    }

    private static func rotary(
        _ metadata: GGUFMetadata, _ limits: ConfigurationLimits, architecture: String, headSize: Int
    ) throws(WeightLoadingError) -> RotaryConfiguration {
        func key(_ name: String) -> String { "\(architecture).rope.\(name)" }
        let size = try metadata.integer(key("dimension_count")) ?? headSize
        try limits.requireRotarySize(size, headSize: headSize, key: key("dimension_count"))
        let theta = try limits.positive(try metadata.number(key("freq_base")) ?? 10_000, key("freq_base"))
        let scaling: RotaryConfiguration.Scaling
        // As in llama.cpp, a missing type means linear and a missing factor one.
        switch try metadata.string(key("scaling.type")) ?? "linear" {
        case "none": scaling = .none
        case "linear":
            // Older files store the factor under another key.
            let oldFactor = try metadata.number(key("scale_linear"))
            let factor = try metadata.number(key("scaling.factor")) ?? oldFactor ?? 0
            scaling = factor == 0 ? .none : .linear(factor: try limits.positive(factor, key("scaling.factor")))
        case let type: scaling = .other(type)
        }
        return RotaryConfiguration(theta: theta, rotarySize: size, scaling: scaling)
    }
}

/// Reads GGUF metadata by key and type; errors name file and key.
struct GGUFMetadata {
    let file: String
    let values: [String: GGUFValue]

    /// The integer at `key`; nil when absent.
    func integer(_ key: String) throws(WeightLoadingError) -> Int? {
        switch values[key] {
        case nil: return nil
        case .integer(let integer): return integer
        case .some(let other): throw illTyped(key, "an integer", other)
        }
    }

    /// The integer at `key`; of a list, which has one value per layer, the value that all layers share. Nil when
    /// absent.
    func layerInteger(_ key: String) throws(WeightLoadingError) -> Int? {
        guard case .integers(let integers) = values[key], let first = integers.first else { return try integer(key) }
        guard integers.allSatisfy({ $0 == first }) else {
            throw .unsupported(
                file: file, key: key, found: "of different layers, \(integers.prefix(8)),",
                supported: "one number for all layers")
        }
        return first
    }

    /// The finite number at `key`; nil when absent.
    func number(_ key: String) throws(WeightLoadingError) -> Double? {
        switch values[key] {
        case nil: return nil
        case .integer(let integer): return Double(integer)
        case .number(let number) where number.isFinite: return number
        case .some(let other): throw illTyped(key, "a finite number", other)
        }
    }

    /// The boolean at `key`; nil when absent.
    func bool(_ key: String) throws(WeightLoadingError) -> Bool? {
        switch values[key] {
        case nil: return nil
        case .bool(let bool): return bool
        case .some(let other): throw illTyped(key, "a boolean", other)
        }
    }

    /// The string at `key`; nil when absent.
    func string(_ key: String) throws(WeightLoadingError) -> String? {
        switch values[key] {
        case nil: return nil
        case .string(let string): return string
        case .some(let other): throw illTyped(key, "a string", other)
        }
    }

    /// The strings at `key`; nil when absent.
    func strings(_ key: String) throws(WeightLoadingError) -> [String]? {
        switch values[key] {
        case nil: return nil
        case .strings(let strings): return strings
        case .some(let other): throw illTyped(key, "an array of strings", other)
        }
    }

    /// The integers at `key`; nil when absent.
    func integers(_ key: String) throws(WeightLoadingError) -> [Int]? {
        switch values[key] {
        case nil: return nil
        case .integers(let integers): return integers
        case .some(let other): throw illTyped(key, "an array of integers", other)
        }
    }

    /// The numbers at `key`; nil when absent.
    func numbers(_ key: String) throws(WeightLoadingError) -> [Float]? {
        switch values[key] {
        case nil: return nil
        case .numbers(let numbers): return numbers
        case .some(let other): throw illTyped(key, "an array of numbers", other)
        }
    }

    private func illTyped(_ key: String, _ expected: String, _ found: GGUFValue) -> WeightLoadingError {
        .illTypedKey(file: file, key: key, expected: expected, found: found.kind)
    }
}
