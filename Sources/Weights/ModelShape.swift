internal import JSON
public import Tensors
internal import Tokenization

/// What the engine needs to know of a model, whatever its family.
public struct ModelShape: Sendable, Hashable {
    /// Rows of the embedding table and of the logits.
    public var vocabularySize: Int
    /// The positions that the model was made for (`max_position_embeddings`).
    public var maxPositionCount: Int
    /// The positions that it can be used for where its rotary embedding is scaled; at least `maxPositionCount`.
    public var extendedPositionCount: Int
    /// The token that begins a text.
    public var bosTokenID: Int?
    /// Tokens that end a generation, without repetitions.
    public var eosTokenIDs: [Int]
    /// The type of the numbers according to the checkpoint; nil: not stated, or they are quantized.
    public var elementType: ElementType?

    public init(
        vocabularySize: Int, maxPositionCount: Int, extendedPositionCount: Int? = nil, bosTokenID: Int? = nil,
        eosTokenIDs: [Int] = [], elementType: ElementType? = nil
    ) {
        self.vocabularySize = vocabularySize
        self.maxPositionCount = maxPositionCount
        self.extendedPositionCount = max(maxPositionCount, extendedPositionCount ?? 0)
        self.bosTokenID = bosTokenID
        self.eosTokenIDs = eosTokenIDs
        self.elementType = elementType
    }
}

extension ModelShape {
    /// Reads `metadata`, whose keys are those of `text` inside of `config`; `generation` is the `generation_config.json` if
    /// there is one.
    init(
        _ metadata: ModelMetadata, text: JSONDocument, config: JSONDocument, generation: JSONDocument?
    ) throws(WeightLoadingError) {
        // Multimodal configurations may state tokens and type beside the object of the text model.
        let generated = try generation.map { document throws(WeightLoadingError) in
            try Self.tokenIDs(document, "eos_token_id")
        }
        let (inner, outer) = (try Self.tokenIDs(text, "eos_token_id"), try Self.tokenIDs(config, "eos_token_id"))
        let (innerBOS, outerBOS) = (try Self.tokenIDs(text, "bos_token_id"), try Self.tokenIDs(config, "bos_token_id"))
        let (innerType, outerType) = (try Self.elementType(text), try Self.elementType(config))
        let maxPositionCount = try metadata.size("max_position_embeddings", limit: 1 << 30)
        self.init(
            vocabularySize: try metadata.size("vocab_size", limit: 1 << 26), maxPositionCount: maxPositionCount,
            extendedPositionCount: try Self.extended(maxPositionCount, metadata),
            bosTokenID: (innerBOS + outerBOS).first,
            eosTokenIDs: ((generated ?? []) + inner + outer).uniqued(),
            elementType: innerType ?? outerType)
    }

    /// Reads the metadata of a GGUF file.
    init(_ metadata: ModelMetadata, vocabulary: GGUFVocabulary) throws(WeightLoadingError) {
        self.init(
            // As in llama.cpp, not from the key `vocab_size`, which tools that add tokens do not update.
            vocabularySize: vocabulary.tokens.count,
            maxPositionCount: try metadata.size("max_position_embeddings", gguf: "context_length", limit: 1 << 30),
            bosTokenID: vocabulary.bosID.map { Int($0) },
            eosTokenIDs: vocabulary.endIDs.map { Int($0) })
    }

    /// What scaled positions allow, as in vLLM: `max_position_embeddings`, or the length that YaRN extends, times the factor.
    private static func extended(_ count: Int, _ metadata: ModelMetadata) throws(WeightLoadingError) -> Int {
        let (old, new) = (try metadata.object("rope_scaling"), try metadata.object("rope_parameters"))
        guard let scaling = old ?? new else { return count }
        let (type, oldType) = (try scaling.string("rope_type"), try scaling.string("type"))
        guard let factor = try? scaling.number("factor"), factor > 1 else { return count }
        let limited = min(factor, 1024)
        switch type ?? oldType {
        case "linear", "dynamic": return Int(Double(count) * limited)
        case "yarn":
            let original = try scaling.optionalSize("original_max_position_embeddings", limit: 1 << 30)
            return Int(Double(original ?? count) * limited)
        default: return count
        }
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
}

extension Array where Element: Hashable {
    /// The elements without repetitions.
    func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
