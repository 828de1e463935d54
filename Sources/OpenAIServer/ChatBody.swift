import JSON
import Requests

/// The body of `POST /v1/chat/completions`.
struct ChatBody {
    /// The prompt's tokens.
    var prompt: [Int32]
    /// Tokens that may follow it.
    var maxTokens: Int
    /// The rest.
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
            wanted: newer ?? older, field: newer == nil ? "max_tokens" : "max_completion_tokens",
            promptCount: prompt.count, promptField: "messages", maxModelLength: service.maxModelLength)
    }
}
