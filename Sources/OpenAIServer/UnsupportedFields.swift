import JSON

/// Fields of other servers that change the response there and that this server does not support. Ignoring such a field
/// would produce a different response than requested, so the request is refused.
struct UnsupportedFields {
    private struct Field {
        let name: String
        /// Values besides null that request nothing.
        var neutral: [JSONValue] = []
        /// The equivalent field of this server.
        var instead: String?
    }

    /// Fields of both routes.
    private static let common: [Field] = [
        // Structured output: vLLM, llama.cpp, SGLang.
        Field(name: "guided_json"), Field(name: "guided_regex"), Field(name: "guided_choice"),
        Field(name: "guided_grammar"), Field(name: "structured_outputs"), Field(name: "grammar", neutral: [""]),
        Field(name: "json_schema"), Field(name: "regex"), Field(name: "ebnf"), Field(name: "structural_tag"),
        // Constraints on tokens and changes of logits.
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
        // Contents of the prompt.
        Field(name: "truncate_prompt_tokens"), Field(name: "prompt_embeds"), Field(name: "image_data", neutral: [[]]),
        Field(name: "lora", neutral: [[]]), Field(name: "lora_path"), Field(name: "lora_request"),
        // Other forms of the response.
        Field(name: "logprob_token_ids"), Field(name: "audio"), Field(name: "modalities", neutral: [["text"], []]),
        Field(name: "web_search_options"),
        // Options that have another name here.
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

    static let completions = UnsupportedFields(fields: common + ofCompletions)
    static let chat = UnsupportedFields(fields: common + ofChat)

    /// Throws `invalidField` if `body` has one of the fields with a value that is not neutral.
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
