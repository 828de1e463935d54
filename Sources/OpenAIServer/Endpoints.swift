import JSON
import Tokenization

/// `GET /v1/models` and `GET /v1/models/NAME`.
struct ModelsRoute: Sendable {
    let service: any CompletionService

    var model: JSONValue {
        [
            "id": .string(service.modelName), "object": "model", "created": .integer(service.created),
            "owned_by": "quire", "root": .string(service.modelName), "parent": nil,
            "max_model_len": .integer(service.maxModelLength),
        ]
    }

    var list: JSONValue { ["object": "list", "data": [model]] }

    /// Throws `unknownModel` unless `name` is nil or the model's name.
    func check(_ name: String?) throws(ServerError) {
        guard let name, name != service.modelName else { return }
        throw .unknownModel(name.inOneLine, served: service.modelName)
    }
}

/// `POST /tokenize` and `POST /detokenize`, in vLLM's shapes.
struct TokenizeRoute: Sendable {
    let service: any CompletionService
    let specialTexts: ByteTrie

    /// The tokens of a prompt, or of messages rendered with the chat template.
    func tokenize(_ fields: Fields) throws(ServerError) -> JSONValue {
        let tokens: [Int32]
        if fields.has("messages") {
            tokens = try ChatPrompt(fields).encode(service, specialTexts: specialTexts)
        } else {
            let adds = try fields.bool("add_special_tokens") ?? true
            let text = try fields.requiredString("prompt")
            tokens = service.tokenizer.encode(text, addSpecialTokens: adds, parseSpecialTokens: true)
        }
        var texts = JSONValue.null
        if try fields.bool("return_token_strs") == true {
            let writer = TokenWriter(tokenizer: service.tokenizer, writesIDs: false)
            texts = .array(tokens.map { .string(writer.text($0)) })
        }
        return [
            "count": .integer(tokens.count), "max_model_len": .integer(service.maxModelLength),
            "tokens": JSONValue(tokens), "token_strs": texts,
        ]
    }

    /// The text of tokens, including special ones.
    func detokenize(_ fields: Fields) throws(ServerError) -> JSONValue {
        guard let tokens = try fields.tokens("tokens", vocabularySize: service.tokenizer.vocabularySize) else {
            throw fields.error("tokens", "is required and must be an array of token ids")
        }
        return ["prompt": .string(service.tokenizer.decode(tokens, skipSpecialTokens: false))]
    }
}
