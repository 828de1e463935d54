import InferenceEngine
import JSON
import Requests

/// A request to `/v1/chat/completions`: reads and checks the body, and builds the engine's request.
struct ChatRequest {
    var prompt: [Int32]
    /// The maximum number of tokens after the prompt.
    var maxTokens: Int
    var options: GenerationOptions

    /// Reads and checks all fields.
    init(
        _ fields: Fields, service: any CompletionService, options serverOptions: ServerOptions, specialTexts: ByteTrie
    ) throws(ServerError) {
        try UnsupportedFields.chat.refuse(in: fields)
        options = try GenerationOptions(fields, service: service, options: serverOptions)
        let topCount = try fields.integer("top_logprobs", in: 0...serverOptions.maxLogprobs)
        if try fields.bool("logprobs") == true {
            options.sampling.logprobs = topCount ?? 0
        } else if let topCount, topCount > 0 {
            throw fields.error("top_logprobs", "is only allowed with logprobs: true")
        }
        let newer = try fields.integer("max_completion_tokens", in: 1...Int(Int32.max))
        let older = try fields.integer("max_tokens", in: 1...Int(Int32.max))
        prompt = try ChatPrompt(fields).encode(service, specialTexts: specialTexts)
        maxTokens = try options.maxTokens(
            requested: newer ?? older, field: newer == nil ? "max_tokens" : "max_completion_tokens",
            promptCount: prompt.count, promptField: "messages", maxModelLength: service.maxModelLength)
    }

    /// The engine's request.
    var generationRequest: GenerationRequest { options.request(prompt: prompt, maxTokens: maxTokens) }
}
