internal import JSON
internal import Tensors
public import Tokenization

/// The special tokens, added tokens and chat templates of the files beside `tokenizer.json`, read as in transformers 5
/// (`PreTrainedTokenizerBase._from_pretrained`).
public struct TokenizerConfiguration: Sendable, Hashable {
    /// Texts of special tokens by the names that chat templates use: `bos_token`, `pad_token`, `image_token`.
    public private(set) var specialTokens: [String: String] = [:]
    /// Tokens that the tokenizer must have. Those that it lacks get new ids in this order.
    public private(set) var addedTokens: [NamedToken] = []
    /// Sources of chat templates by name; a single one is named `default`.
    public private(set) var chatTemplates: [String: String] = [:]

    /// The names that every tokenizer may have.
    static let names = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]

    /// Reads the files that `directory` has: `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json`,
    /// and those of `ChatTemplateFiles`.
    public init(directory: String) throws(WeightLoadingError) {
        let config = directory.appendingPath("tokenizer_config.json")
        var keys = try Self.object(config) ?? JSONObject()
        chatTemplates = try ChatTemplateFiles(directory).templates(config: keys["chat_template"], file: config)
        var decoder: [(id: Int, token: NamedToken)] = []
        if let value = keys["added_tokens_decoder"] {
            decoder = try Self.decoder(value, file: config)
        } else {
            // Without the key `added_tokens_decoder`, special tokens may be in special_tokens_map.json.
            let map = directory.appendingPath("special_tokens_map.json")
            for member in try Self.object(map)?.members ?? [] { keys[member.key] = member.value }
        }
        let special = Self.special(keys)
        let extra = Self.list(keys)
        if keys["added_tokens_decoder"] == nil {
            let texts = Set((special.map(\.token) + extra).map(\.content))
            decoder = try Self.added(directory.appendingPath("added_tokens.json"), special: texts)
        }
        let named = Set(special.map(\.token.content))
        addedTokens = decoder.sorted { $0.id < $1.id }.map { entry in
            var token = entry.token
            if named.contains(token.content) { token.isSpecial = true }
            return token
        }
        var known = Set(addedTokens.map(\.content))
        for token in special.map(\.token) + extra where known.insert(token.content).inserted {
            addedTokens.append(token)
        }
        for (name, token) in special { specialTokens[name] = token.content }
    }

    /// The object in `file`; nil: there is no such file. Of repeated keys the last one counts.
    static func object(_ file: String) throws(WeightLoadingError) -> JSONObject? {
        guard PathKind(of: file) == .file else { return nil }
        let memory = try mapFile(file)
        let value: JSONValue
        do {
            value = try withExtendedLifetime(memory) { () throws(JSONError) in
                try JSONParser.parse(memory.bytes, options: .configurations)
            }
        } catch {
            throw .malformed(file: file, reason: error.description)
        }
        guard case .object(let object) = value else {
            throw .malformed(file: file, reason: "the root is \(value.summary), not an object")
        }
        return object
    }

    /// The named special tokens; those that every tokenizer may have come first.
    private static func special(_ keys: JSONObject) -> [(name: String, token: NamedToken)] {
        var found: [(name: String, token: NamedToken)] = []
        func add(_ name: String, _ value: JSONValue?) {
            guard let value, let token = token(value) else { return }
            found.removeAll { $0.name == name }
            found.append((name, token))
        }
        for name in names { add(name, keys[name]) }
        for member in keys.members where member.key.hasSuffix("_token") && !names.contains(member.key) {
            add(member.key, member.value)
        }
        if case .object(let more)? = keys["extra_special_tokens"] {
            for member in more.members { add(member.key, member.value) }
        }
        return found
    }

    /// The special tokens without names.
    private static func list(_ keys: JSONObject) -> [NamedToken] {
        for key in ["extra_special_tokens", "additional_special_tokens"] {
            if case .array(let values)? = keys[key], !values.isEmpty { return values.compactMap { token($0) } }
        }
        return []
    }

    /// A special token: a string, or an object with `content` and flags.
    private static func token(_ value: JSONValue) -> NamedToken? {
        switch value {
        case .string(let text) where !text.isEmpty:
            return NamedToken(text, isSpecial: true)
        case .object(let object):
            guard var token = token(object) else { return nil }
            token.isSpecial = true
            if object["normalized"] == nil { token.isNormalized = false }
            return token
        default: return nil
        }
    }

    private static func token(_ object: JSONObject) -> NamedToken? {
        guard case .string(let content)? = object["content"], !content.isEmpty else { return nil }
        func flag(_ key: String, _ missing: Bool = false) -> Bool {
            if case .bool(let flag)? = object[key] { flag } else { missing }
        }
        let isSpecial = flag("special")
        return NamedToken(
            content, isSpecial: isSpecial, stripsLeft: flag("lstrip"), stripsRight: flag("rstrip"),
            isSingleWord: flag("single_word"), isNormalized: flag("normalized", !isSpecial))
    }

    /// The tokens of `added_tokens_decoder`, whose keys are ids.
    private static func decoder(
        _ value: JSONValue, file: String
    ) throws(WeightLoadingError) -> [(id: Int, token: NamedToken)] {
        let key = "added_tokens_decoder"
        guard case .object(let object) = value else {
            throw .illTypedKey(file: file, key: key, expected: "an object", found: value.summary)
        }
        var tokens: [(id: Int, token: NamedToken)] = []
        for member in object.members {
            guard let id = Int(member.key) else {
                throw .illTypedKey(
                    file: file, key: "\(key).\(member.key)", expected: "named by an id", found: member.key)
            }
            guard case .object(let fields) = member.value, let token = token(fields) else {
                throw .illTypedKey(
                    file: file, key: "\(key).\(member.key)", expected: "an object with content",
                    found: member.value.summary)
            }
            tokens.append((id, token))
        }
        return tokens
    }

    /// The ids of `added_tokens.json` by token.
    private static func added(
        _ file: String, special: Set<String>
    ) throws(WeightLoadingError) -> [(id: Int, token: NamedToken)] {
        var tokens: [(id: Int, token: NamedToken)] = []
        for member in try object(file)?.members ?? [] {
            guard case .integer(let id) = member.value else {
                throw .illTypedKey(file: file, key: member.key, expected: "an id", found: member.value.summary)
            }
            let isSpecial = special.contains(member.key)
            tokens.append((id, NamedToken(member.key, isSpecial: isSpecial)))
        }
        return tokens
    }
}
