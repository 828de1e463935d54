import JSON
import Requests
import Tokenization

/// `GET /v1/models` and `GET /v1/models/NAME`.
struct ModelsRoute: Sendable {
    let service: any CompletionService

    var list: JSONValue {
        let adapters = service.adapters.map { card($0.name, created: $0.created, parent: .string(service.modelName)) }
        return ["object": "list", "data": .array([card(service.modelName, created: service.created)] + adapters)]
    }

    /// The model or adapter `name`. Throws `unknownModel`.
    func model(_ name: String) throws(ServerError) -> JSONValue {
        if name == service.modelName { return card(name, created: service.created) }
        guard let adapter = service.adapters.first(where: { $0.name == name }) else { throw unknown(name) }
        return card(name, created: adapter.created, parent: .string(service.modelName))
    }

    /// The model that a request names, and its adapter; without a name, the model without one. Throws `unknownModel`.
    func resolve(_ name: String?) throws(ServerError) -> (name: String, adapter: AdapterID?) {
        guard let name, name != service.modelName else { return (service.modelName, nil) }
        guard let adapter = service.adapter(named: name) else { throw unknown(name) }
        return (name, adapter)
    }

    private func unknown(_ name: String) -> ServerError {
        .unknownModel(name.inOneLine, served: service.modelName)
    }

    /// An adapter's `root` is its name and not its path, which is nothing for other clients to know.
    private func card(_ name: String, created: Int, parent: JSONValue = .null) -> JSONValue {
        [
            "id": .string(name), "object": "model", "created": .integer(created), "owned_by": "quire",
            "root": .string(name), "parent": parent, "max_model_len": .integer(service.maxModelLength),
        ]
    }
}

/// `POST /v1/load_lora_adapter` and `POST /v1/unload_lora_adapter`, with vLLM's fields and sentences.
struct AdapterRoute: Sendable {
    let loading: any AdapterLoading

    /// Loads `lora_name` from `lora_path`. Returns the sentence for the client.
    func load(_ fields: Fields) async throws -> String {
        guard let name = try fields.string("lora_name"), let path = try fields.string("lora_path"), !name.isEmpty,
            !path.isEmpty
        else {
            throw ServerError.badAdapter(
                "Both 'lora_name' and 'lora_path' must be provided.", type: "InvalidUserInput")
        }
        do {
            try await loading.load(name, path: path)
        } catch let refusal as AdapterRefusal {
            switch refusal {
            case .nameTaken:
                throw ServerError.badAdapter(
                    "The lora adapter '\(name.inOneLine)' has already been loaded.", type: "InvalidUserInput")
            case .notFound(let reason): throw ServerError.adapterNotFound(reason)
            case .unusable(let reason): throw ServerError.badAdapter(reason)
            case .unknownName: throw ServerError.internalFailure("the adapter has no name")
            }
        }
        return "Success: LoRA adapter '\(name)' added successfully."
    }

    /// Unloads `lora_name`. Returns the sentence for the client.
    func unload(_ fields: Fields) async throws -> String {
        guard let name = try fields.string("lora_name"), !name.isEmpty else {
            throw ServerError.badAdapter(
                "'lora_name' needs to be provided to unload a LoRA adapter.", type: "InvalidUserInput")
        }
        do { try await loading.unload(name) } catch is AdapterRefusal {
            throw ServerError.adapterNotFound("The lora adapter '\(name.inOneLine)' cannot be found.")
        }
        return "Success: LoRA adapter '\(name)' removed successfully."
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
