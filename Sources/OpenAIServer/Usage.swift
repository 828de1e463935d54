import JSON

/// Tokens that a request has cost.
struct Usage: Sendable, Equatable {
    /// Tokens of its prompts.
    var promptCount: Int
    /// Tokens produced for it.
    var completionCount = 0

    /// OpenAI's usage object. How much of the prompt came from the cache is not known here, hence null, as in vLLM.
    var json: JSONValue {
        [
            "prompt_tokens": .integer(promptCount), "total_tokens": .integer(promptCount + completionCount),
            "completion_tokens": .integer(completionCount), "prompt_tokens_details": nil,
        ]
    }
}
