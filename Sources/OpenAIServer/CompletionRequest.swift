import InferenceEngine
import JSON
import Requests
import Tokenization

/// A request to `/v1/completions`: reads and checks the body, and builds the engine's requests.
struct CompletionRequest {
    /// A prompt as text and as tokens.
    struct Prompt {
        /// The text; nil: the client sent tokens.
        var text: String?
        var tokens: [Int32]
        /// The maximum number of tokens after it.
        var maxTokens = 0
    }

    /// The prompts, at least one.
    var prompts: [Prompt]
    /// Whether the text of a choice begins with the prompt.
    var echo: Bool
    /// The number of alternatives to report for each token; nil: no log probabilities.
    var logprobs: Int?
    /// The rest.
    var options: GenerationOptions

    /// Reads and checks all fields.
    init(_ fields: Fields, service: any CompletionService, options serverOptions: ServerOptions) throws(ServerError) {
        try UnsupportedFields.completions.refuse(in: fields)
        var options = try GenerationOptions(fields, service: service, options: serverOptions)
        if let best = try fields.integer("best_of", in: 0 ... .max), best != options.choiceCount {
            throw fields.error("best_of", "is only supported where it equals n, found \(best)")
        }
        echo = try fields.bool("echo") ?? false
        logprobs = try fields.integer("logprobs", in: 0...serverOptions.maxLogprobs)
        if echo, let logprobs {
            options.sampling.promptLogprobs = max(options.sampling.promptLogprobs ?? 0, logprobs)
        }
        options.sampling.logprobs = logprobs
        let maxTokens = try fields.integer("max_tokens", in: 0...Int(Int32.max))
        let addsSpecialTokens = try fields.bool("add_special_tokens") ?? true
        prompts = try Self.prompts(
            fields, tokenizer: service.tokenizer, addSpecialTokens: addsSpecialTokens,
            limit: serverOptions.maxChoices / options.choiceCount)
        for index in prompts.indices {
            // The default is OpenAI's 16, or fewer if there is no room for them.
            let count = prompts[index].tokens.count
            let usual = min(16, max(service.maxModelLength - count, 1))
            prompts[index].maxTokens = try options.maxTokens(
                requested: maxTokens ?? usual, field: "max_tokens", promptCount: count, promptField: "prompt",
                maxModelLength: service.maxModelLength)
        }
        self.options = options
    }

    /// The engine's requests, one for each prompt.
    var generationRequests: [GenerationRequest] {
        prompts.enumerated().map { index, prompt in
            options.request(prompt: prompt.tokens, maxTokens: prompt.maxTokens, index: index)
        }
    }

    private static func prompts(
        _ fields: Fields, tokenizer: any Tokenizer, addSpecialTokens: Bool, limit: Int
    ) throws(ServerError) -> [Prompt] {
        let expected = "expected a string, an array of strings, of token ids, or of arrays of token ids"
        // A completion's prompt is the whole text that the model sees, so special tokens in it are parsed, as in other
        // servers.
        func encoded(_ text: String) -> Prompt {
            let tokens = tokenizer.encode(text, addSpecialTokens: addSpecialTokens, parseSpecialTokens: true)
            return Prompt(text: text, tokens: tokens)
        }
        let values: [JSONValue]
        switch fields.value("prompt") {
        case nil: throw fields.error("prompt", "is required: \(expected)")
        case .string(let text): return [encoded(text)]
        case .array(let array): values = array
        case let other?: throw fields.error("prompt", "\(expected), found \(other.kind)")
        }
        guard let first = values.first else { throw fields.error("prompt", "must not be empty") }
        let size = tokenizer.vocabularySize
        if case .integer = first {
            return [Prompt(tokens: try Fields.tokens(values, path: "prompt", vocabularySize: size))]
        }
        guard values.count <= limit else {
            throw fields.error("prompt", "at most \(limit) prompts (times n) in one request, found \(values.count)")
        }
        var prompts: [Prompt] = []
        for (index, value) in values.enumerated() {
            switch (first, value) {
            case (.string, .string(let text)): prompts.append(encoded(text))
            case (.array, .array(let tokens)):
                let path = "prompt[\(index)]"
                prompts.append(Prompt(tokens: try Fields.tokens(tokens, path: path, vocabularySize: size)))
            default: throw fields.error("prompt[\(index)]", "\(expected), found \(value.kind)")
            }
        }
        return prompts
    }
}
