internal import JSON

/// The facts of a model by key: `config.json` of a Hugging Face checkpoint, or the metadata of a GGUF file.
///
/// Every reader takes the key of `config.json` and, as `gguf`, the key that follows the architecture's name in GGUF files;
/// nil: GGUF files do not have the fact. Errors name the file and the key that was read.
///
/// ```swift
/// let heads = try metadata.size("num_attention_heads", gguf: "attention.head_count")
/// let cap = try metadata.number("final_logit_softcapping", gguf: "final_logit_softcapping")
/// ```
public struct ModelMetadata: Sendable {
    /// The family of file formats, which decides tensor names and conventions.
    public enum Format: String, Sendable, Hashable {
        case huggingFace
        case gguf
    }

    /// The file that was read, for errors.
    public let file: String
    public let format: Format
    /// `model_type`, or `general.architecture` of a GGUF file.
    public let architecture: String
    let family: ModelFamily
    private let source: Source

    private enum Source: Sendable {
        /// The object of the model, and the root, which multimodal checkpoints may state a fact in instead.
        case json(JSONDocument, outer: JSONDocument?)
        case gguf(GGUFMetadata)
    }

    /// The facts of `config`; `tie_word_embeddings` may stand in `outer` only.
    init(
        _ config: JSONDocument, outer: JSONDocument? = nil, family: ModelFamily
    ) throws(WeightLoadingError) {
        file = config.file
        format = .huggingFace
        architecture = try config.string("model_type") ?? family.name
        self.family = family
        source = .json(config, outer: outer)
    }

    init(_ metadata: GGUFMetadata, architecture: String, family: ModelFamily) {
        file = metadata.file
        format = .gguf
        self.architecture = architecture
        self.family = family
        source = .gguf(metadata)
    }

    /// The name under which the fact is stored; nil: this format does not have it.
    private func stored(_ key: String, _ gguf: String?) -> String? {
        switch source {
        case .json(let document, _):
            // transformers accepts the common name too.
            if let alias = family.aliases[key], !document[alias].isMissing || document[key].isMissing { return alias }
            return key
        case .gguf: return gguf.map { "\(architecture).\($0)" }
        }
    }

    /// The default of an absent key. A key that is null has none.
    private func absent(_ key: String, _ stored: String, _ document: JSONDocument) -> ModelFamily.Default? {
        document[stored].isMissing ? family.defaults[key] : nil
    }

    /// Whether the fact is stated and not null.
    public func has(_ key: String, gguf: String? = nil) -> Bool {
        guard let name = stored(key, gguf) else { return false }
        switch source {
        case .json(let document, _): return document.value(name) != nil
        case .gguf(let metadata): return metadata.values[name] != nil
        }
    }

    /// The key as errors show it.
    public func name(_ key: String, gguf: String? = nil) -> String {
        switch source {
        case .json(let document, _): document.path(stored(key, gguf) ?? key)
        case .gguf: stored(key, gguf) ?? key
        }
    }

    /// An error about a value that is of the right type and that Quire cannot use.
    public func unsupported(
        _ key: String, gguf: String? = nil, found: String, supported: String
    ) -> WeightLoadingError {
        .unsupported(file: file, key: name(key, gguf: gguf), found: found, supported: supported)
    }

    /// An error about a value that the model cannot have.
    public func illTyped(_ key: String, gguf: String? = nil, expected: String, found: String) -> WeightLoadingError {
        .illTypedKey(file: file, key: name(key, gguf: gguf), expected: expected, found: found)
    }
}

// MARK: Values

extension ModelMetadata {
    /// The integer; nil where it is absent or null. A GGUF list, which has one number for each layer, counts as the number
    /// that all layers share.
    public func integer(_ key: String, gguf: String? = nil) throws(WeightLoadingError) -> Int? {
        guard let name = stored(key, gguf) else { return nil }
        switch source {
        case .json(let document, _):
            if case .integer(let integer) = absent(key, name, document) { return integer }
            return try document.integer(name)
        case .gguf(let metadata): return try metadata.layerInteger(name)
        }
    }

    /// A size from 1 to `limit`. Throws `missingKey` where it is absent.
    public func size(_ key: String, gguf: String? = nil, limit: Int = 1 << 20) throws(WeightLoadingError) -> Int {
        guard let size = try optionalSize(key, gguf: gguf, limit: limit) else {
            throw .missingKey(
                file: file, key: name(key, gguf: gguf), expected: "an integer from 1 to \(limit)")
        }
        return size
    }

    /// A size from 1 to `limit`; nil where it is absent or null.
    public func optionalSize(
        _ key: String, gguf: String? = nil, limit: Int = 1 << 20
    ) throws(WeightLoadingError) -> Int? {
        guard let value = try integer(key, gguf: gguf) else { return nil }
        guard (1...limit).contains(value) else {
            throw illTyped(key, gguf: gguf, expected: "an integer from 1 to \(limit)", found: "\(value)")
        }
        return value
    }

    /// One size for each of `count` layers, from a number or a list; nil where it is absent or null.
    public func layerSizes(
        _ key: String, gguf: String? = nil, count: Int, limit: Int = 1 << 20
    ) throws(WeightLoadingError) -> [Int]? {
        guard let name = stored(key, gguf) else { return nil }
        let list: [Int]?
        switch source {
        case .json(let document, _):
            list = if case .array = document.value(name) { try Self.integers(document, name) } else { nil }
        case .gguf(let metadata):
            list = if case .integers = metadata.values[name] { try metadata.integers(name) } else { nil }
        }
        guard let list else {
            return try optionalSize(key, gguf: gguf, limit: limit).map { Array(repeating: $0, count: count) }
        }
        guard list.count >= count, list.allSatisfy({ (1...limit).contains($0) }) else {
            throw illTyped(
                key, gguf: gguf, expected: "\(count) integers from 1 to \(limit), one a layer",
                found: "\(list.prefix(8))")
        }
        return Array(list.prefix(count))
    }

    /// The finite number; nil where it is absent or null.
    public func number(_ key: String, gguf: String? = nil) throws(WeightLoadingError) -> Double? {
        guard let name = stored(key, gguf) else { return nil }
        switch source {
        case .json(let document, _):
            switch absent(key, name, document) {
            case .number(let number): return number
            case .integer(let integer): return Double(integer)
            default: return try document.number(name)
            }
        case .gguf(let metadata): return try metadata.number(name)
        }
    }

    /// The positive number; nil where it is absent or null.
    public func positive(_ key: String, gguf: String? = nil) throws(WeightLoadingError) -> Double? {
        guard let number = try number(key, gguf: gguf) else { return nil }
        guard number > 0, number.isFinite else {
            throw illTyped(key, gguf: gguf, expected: "a positive number", found: "\(number)")
        }
        return number
    }

    /// The positive number. Throws `missingKey` where it is absent.
    public func requiredPositive(_ key: String, gguf: String? = nil) throws(WeightLoadingError) -> Double {
        guard let number = try positive(key, gguf: gguf) else {
            throw .missingKey(file: file, key: name(key, gguf: gguf), expected: "a positive number")
        }
        return number
    }

    /// The numbers of a list; nil where it is absent or null.
    public func numbers(_ key: String, gguf: String? = nil) throws(WeightLoadingError) -> [Double]? {
        guard let name = stored(key, gguf) else { return nil }
        switch source {
        case .json(let document, _):
            return try document.array(name)?.map { element throws(WeightLoadingError) in
                guard let number = element.double, number.isFinite else {
                    throw document.error(name, expected: "a list of numbers", found: element)
                }
                return number
            }
        case .gguf(let metadata): return try metadata.numbers(name)?.map(Double.init)
        }
    }

    /// The numbers of a list of a GGUF file whose key has no architecture's name before it.
    public func numbers(global key: String) throws(WeightLoadingError) -> [Double]? {
        guard case .gguf(let metadata) = source else { return nil }
        return try metadata.numbers(key)?.map(Double.init)
    }

    private static func integers(_ document: JSONDocument, _ name: String) throws(WeightLoadingError) -> [Int] {
        try (document.array(name) ?? []).map { element throws(WeightLoadingError) in
            guard case .integer(let integer) = element else {
                throw document.error(name, expected: "a list of integers", found: element)
            }
            return integer
        }
    }

    /// The boolean; nil where it is absent or null.
    public func bool(_ key: String, gguf: String? = nil) throws(WeightLoadingError) -> Bool? {
        guard let name = stored(key, gguf) else { return nil }
        switch source {
        case .json(let document, let outer):
            if case .bool(let bool) = absent(key, name, document) { return bool }
            if document[name].isMissing, key == "tie_word_embeddings" { return try outer?.bool(name) }
            return try document.bool(name)
        case .gguf(let metadata): return try metadata.bool(name)
        }
    }

    /// The booleans of a list, which may be stored as integers; nil where it is absent or null.
    public func bools(_ key: String, gguf: String? = nil) throws(WeightLoadingError) -> [Bool]? {
        guard let name = stored(key, gguf) else { return nil }
        let expected = "a list of booleans"
        switch source {
        case .json(let document, _):
            return try document.array(name)?.map { element throws(WeightLoadingError) -> Bool in
                switch element {
                case .bool(let bool): bool
                case .integer(let integer): integer != 0
                default: throw document.error(name, expected: expected, found: element)
                }
            }
        case .gguf(let metadata):
            switch metadata.values[name] {
            case nil: return nil
            case .bools(let bools): return bools
            case .integers(let integers): return integers.map { $0 != 0 }
            case .some(let other):
                throw .illTypedKey(file: file, key: name, expected: expected, found: other.kind)
            }
        }
    }

    /// The period under a GGUF key that can also hold a list, 0 or more; nil where it is absent or a list.
    public func period(gguf: String) throws(WeightLoadingError) -> Int? {
        guard case .gguf(let metadata) = source, case .integer(let period) = metadata.values["\(architecture).\(gguf)"]
        else { return nil }
        guard period >= 0 else {
            throw illTyped("", gguf: gguf, expected: "a list of booleans, or 0 or more", found: "\(period)")
        }
        return period
    }

    /// The text; nil where it is absent or null.
    public func string(_ key: String, gguf: String? = nil) throws(WeightLoadingError) -> String? {
        guard let name = stored(key, gguf) else { return nil }
        switch source {
        case .json(let document, _):
            if case .string(let string) = absent(key, name, document) { return string }
            return try document.string(name)
        case .gguf(let metadata): return try metadata.string(name)
        }
    }

    /// The texts of a list; nil where it is absent or null.
    public func strings(_ key: String, gguf: String? = nil) throws(WeightLoadingError) -> [String]? {
        guard let name = stored(key, gguf) else { return nil }
        switch source {
        case .json(let document, _): return document.value(name) == nil ? nil : try document.strings(name)
        case .gguf(let metadata): return try metadata.strings(name)
        }
    }

    /// An object inside of `config.json`; nil where it is absent, null or empty, and in GGUF files.
    public func object(_ key: String) throws(WeightLoadingError) -> ModelMetadata? {
        guard case .json(let document, _) = source, let inner = try document.object(key), !inner.members.isEmpty else {
            return nil
        }
        return try ModelMetadata(inner, family: ModelFamily(modelTypes: [architecture]))
    }

    /// The keys of `config.json`, or of the object inside of it; none for GGUF files.
    public var keys: [String] {
        guard case .json(let document, _) = source else { return [] }
        return document.members.map(\.key)
    }

    /// Whether `config.json` has an object under the key.
    public func hasObject(_ key: String) -> Bool {
        guard case .json(let document, _) = source, case .object = document.value(key) else { return false }
        return true
    }
}
