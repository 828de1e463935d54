import JSON

/// `GET /v1/models` and `GET /v1/models/NAME`.
struct ModelsRoute: Sendable {
    let service: any CompletionService

    /// The one model.
    var model: JSONValue {
        [
            "id": .string(service.modelName), "object": "model", "created": .integer(service.created),
            "owned_by": "quire", "root": .string(service.modelName), "parent": nil,
            "max_model_len": .integer(service.maxModelLength),
        ]
    }

    /// All models.
    var list: JSONValue { ["object": "list", "data": [model]] }

    /// Throws unless `name` is the model's; nil is.
    func check(_ name: String?) throws(ServerError) {
        guard let name, name != service.modelName else { return }
        throw .unknownModel(name.inOneLine, served: service.modelName)
    }
}
