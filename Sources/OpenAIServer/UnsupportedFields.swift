import JSON

/// Fields that clients of other servers send and that change an answer there, but not here. To neglect one would give
/// another answer than the one asked for, so a request that uses one is refused.
struct UnsupportedFields {
    /// One such field.
    private struct Field {
        /// Its name in the body.
        let name: String
        /// Values that ask for nothing, beside null.
        var neutral: [JSONValue] = []
        /// The field that does the same here.
        var instead: String?
    }

    /// On both routes.
    private static let common: [Field] = [
        // Structured output: vLLM, llama.cpp, SGLang.
        Field(name: "guided_json"), Field(name: "guided_regex"), Field(name: "guided_choice"),
        Field(name: "guided_grammar"), Field(name: "structured_outputs"), Field(name: "grammar", neutral: [""]),
        Field(name: "json_schema"), Field(name: "regex"), Field(name: "ebnf"), Field(name: "structural_tag"),
        // Which tokens may come, or what is done with their scores.
        Field(name: "allowed_token_ids"), Field(name: "bad_words", neutral: [[]]),
        Field(name: "banned_strings", neutral: [[]]), Field(name: "custom_token_bans", neutral: [""]),
        Field(name: "logits_processors", neutral: [[]]), Field(name: "custom_logit_processor"),
        Field(name: "no_repeat_ngram_size", neutral: [0]), Field(name: "samplers", neutral: [[]]),
        Field(name: "mirostat", neutral: [0]), Field(name: "mirostat_mode", neutral: [0]),
        Field(name: "typical_p", neutral: [1]), Field(name: "tfs", neutral: [1]), Field(name: "tfs_z", neutral: [1]),
        Field(name: "top_a", neutral: [0]), Field(name: "epsilon_cutoff", neutral: [0]),
        Field(name: "eta_cutoff", neutral: [0]), Field(name: "penalty_alpha", neutral: [0]),
        Field(name: "dynatemp_range", neutral: [0]), Field(name: "smoothing_factor", neutral: [0]),
        Field(name: "xtc_probability", neutral: [0]), Field(name: "dry_multiplier", neutral: [0]),
        Field(name: "top_n_sigma", neutral: [-1, 0]), Field(name: "nsigma", neutral: [0]),
        Field(name: "guidance_scale", neutral: [1]), Field(name: "negative_prompt", neutral: [""]),
        Field(name: "use_beam_search", neutral: [false]), Field(name: "num_beams", neutral: [1]),
        Field(name: "stop_regex", neutral: ["", []]), Field(name: "thinking_token_budget"),
        // What goes into the prompt.
        Field(name: "truncate_prompt_tokens"), Field(name: "prompt_embeds"), Field(name: "image_data", neutral: [[]]),
        Field(name: "lora", neutral: [[]]), Field(name: "lora_path"), Field(name: "lora_request"),
        // Another form of the answer.
        Field(name: "logprob_token_ids"), Field(name: "audio"), Field(name: "modalities", neutral: [["text"], []]),
        Field(name: "web_search_options"),
        // The same by the name that another server gives it.
        Field(name: "repeat_penalty", neutral: [1], instead: "repetition_penalty"),
        Field(name: "n_predict", neutral: [-1], instead: "max_tokens"),
        Field(name: "max_new_tokens", instead: "max_tokens"), Field(name: "min_new_tokens", instead: "min_tokens"),
        Field(name: "n_probs", neutral: [0], instead: "logprobs"), Field(name: "do_sample", instead: "temperature"),
    ]

    private static let ofCompletions: [Field] = [
        Field(name: "suffix", neutral: [""]), Field(name: "max_completion_tokens", instead: "max_tokens"),
        Field(name: "top_logprobs", neutral: [0], instead: "logprobs"),
    ]

    private static let ofChat: [Field] = [
        Field(name: "functions", neutral: [[]], instead: "tools"),
        Field(name: "function_call", neutral: ["none", "auto"], instead: "tool_choice"),
        Field(name: "echo", neutral: [false]), Field(name: "suffix", neutral: [""]),
    ]

    private let fields: [Field]

    /// Those of `/v1/completions`.
    static let completions = UnsupportedFields(fields: common + ofCompletions)
    /// Those of `/v1/chat/completions`.
    static let chat = UnsupportedFields(fields: common + ofChat)

    /// Throws `invalidField` where `body` has one of the fields with a value that asks for something.
    func refuse(in body: Fields) throws(ServerError) {
        for field in fields {
            guard let value = body.value(field.name), !field.neutral.contains(where: { Self.isEqual($0, value) }) else {
                continue
            }
            throw body.error(field.name, "is not supported" + (field.instead.map { "; use \($0)" } ?? ""))
        }
        if let format = try body.object("response_format"), try format.string("type") != "text" {
            throw body.error("response_format", "only the type 'text' is supported")
        }
    }

    /// Whether two values are equal; `1` and `1.0` are.
    private static func isEqual(_ left: JSONValue, _ right: JSONValue) -> Bool {
        if let left = left.double, let right = right.double { return left == right }
        return left == right
    }
}
