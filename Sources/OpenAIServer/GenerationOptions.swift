import InferenceEngine
import JSON
import Requests
import Tokenization

/// The options that completions and chat share: sampling, scheduling and the form of the response.
struct GenerationOptions {
    /// What the engine and its policies know of the request: sampling parameters, priority, tenant, deadline, salt.
    var attributes = RequestAttributes()
    /// The model or adapter that the request names, as the response repeats it.
    var model = ""
    /// The number of independent continuations of each prompt (`n`).
    var choiceCount = 1
    var stopStrings: [String] = []
    /// Whether the stop string is part of the text.
    var includesStopString = false
    /// Whether special tokens are left out of the text.
    var skipsSpecialTokens = true
    /// Whether the response contains token ids (vLLM's `return_token_ids`).
    var returnsTokenIDs = false
    /// Whether tokens in log probabilities are written `token_id:7` (vLLM's `return_tokens_as_token_ids`).
    var writesTokensAsIDs = false
    /// Whether prompt scores are sent in vLLM's `prompt_logprobs`.
    var sendsPromptLogprobs = false
    /// How the response is streamed; nil: it is not.
    var stream: StreamOptions?

    /// Maximum size of a text that is kept while a request runs, or compared with each of its tokens.
    private static let maximumTextByteCount = 4096
    /// Maximum number of stop tokens, which are compared with each token.
    private static let maximumStopTokenCount = 1024

    /// The attributes' sampling parameters.
    var sampling: SamplingParameters {
        get { attributes.sampling }
        set { attributes.sampling = newValue }
    }

    /// Reads all options except the prompt, `max_tokens` and the log probabilities, whose meaning differs between
    /// routes.
    init(_ fields: Fields, service: any CompletionService, options: ServerOptions) throws(ServerError) {
        (model, attributes.adapter) = try ModelsRoute(service: service).resolve(try fields.string("model"))
        choiceCount = try fields.integer("n", in: 1...options.maxChoices) ?? 1
        stopStrings = try Self.stopStrings(fields)
        includesStopString = try fields.bool("include_stop_str_in_output") ?? false
        skipsSpecialTokens = try fields.bool("skip_special_tokens") ?? true
        attributes.priority = try fields.integer("priority", in: Int(Int32.min)...Int(Int32.max)) ?? 0
        attributes.cacheSalt = try fields.string("cache_salt", maximumByteCount: Self.maximumTextByteCount)
        if attributes.cacheSalt == "" { throw fields.error("cache_salt", "must not be empty") }
        returnsTokenIDs = try fields.bool("return_token_ids") ?? false
        writesTokensAsIDs = try fields.bool("return_tokens_as_token_ids") ?? false
        attributes.tenant = try fields.string("user", maximumByteCount: Self.maximumTextByteCount) ?? ""
        attributes.deadlineSeconds = try fields.integer("deadline_ms", in: 1...Int(Int32.max)).map { Double($0) / 1000 }
        stream = try StreamOptions(fields)
        try readSampling(fields, service: service)
        sampling.promptLogprobs = try fields.integer("prompt_logprobs", in: 0...options.maxLogprobs)
        sendsPromptLogprobs = sampling.promptLogprobs != nil
        if sendsPromptLogprobs, stream != nil {
            throw fields.error("prompt_logprobs", "is not available with stream: true")
        }
    }

    private mutating func readSampling(_ fields: Fields, service: any CompletionService) throws(ServerError) {
        let size = service.tokenizer.vocabularySize
        if let temperature = try fields.number("temperature", in: 0...100) {
            // Below 0.01 the quotient of logits can overflow; vLLM has the same minimum.
            sampling.temperature = temperature == 0 ? 0 : max(Float(temperature), 0.01)
        }
        if let topK = try fields.integer("top_k", in: -1...Int(Int32.max)) { sampling.topK = max(topK, 0) }
        if let topP = try fields.number("top_p", in: 0...1) {
            guard topP > 0 else { throw fields.error("top_p", "expected a number above 0 and at most 1, found 0") }
            sampling.topP = Float(topP)
        }
        if let minP = try fields.number("min_p", in: 0...1) { sampling.minP = Float(minP) }
        if let penalty = try fields.number("repetition_penalty", in: 0.01...100) {
            sampling.repetitionPenalty = Float(penalty)
        }
        if let penalty = try fields.number("presence_penalty", in: -2...2) { sampling.presencePenalty = Float(penalty) }
        if let penalty = try fields.number("frequency_penalty", in: -2...2) {
            sampling.frequencyPenalty = Float(penalty)
        }
        sampling.logitBias = try Self.logitBias(fields, vocabularySize: size)
        if let seed = try fields.integer("seed", in: .min ... .max) {
            sampling.seed = UInt64(bitPattern: Int64(seed))
        } else {
            sampling.seed = .random(in: .min ... .max)
        }
        sampling.minTokens = try fields.integer("min_tokens", in: 0...Int(Int32.max)) ?? 0
        sampling.stopTokenIDs = try fields.tokens("stop_token_ids", vocabularySize: size) ?? []
        guard sampling.stopTokenIDs.count <= Self.maximumStopTokenCount else {
            throw fields.error(
                "stop_token_ids", "at most \(Self.maximumStopTokenCount) tokens, found \(sampling.stopTokenIDs.count)")
        }
        sampling.endTokenIDs = try fields.bool("ignore_eos") == true ? [] : service.endTokenIDs
    }

    private static func stopStrings(_ fields: Fields) throws(ServerError) -> [String] {
        let values: [JSONValue]
        switch fields.value("stop") {
        case nil: return []
        case .string(let text): values = [.string(text)]
        case .array(let array): values = array
        case let other?: throw fields.error("stop", "expected a string or an array of strings, found \(other.kind)")
        }
        guard values.count <= 64 else { throw fields.error("stop", "at most 64 strings, found \(values.count)") }
        var strings: [String] = []
        var byteCount = 0
        for (index, value) in values.enumerated() {
            guard case .string(let text) = value else {
                throw fields.error("stop[\(index)]", "expected a string, found \(value.kind)")
            }
            guard !text.isEmpty else { throw fields.error("stop[\(index)]", "must not be empty") }
            byteCount += text.utf8.count
            guard byteCount <= maximumTextByteCount else {
                throw fields.error("stop", "at most \(maximumTextByteCount) bytes together, found more")
            }
            strings.append(text)
        }
        return strings
    }

    private static func logitBias(_ fields: Fields, vocabularySize: Int) throws(ServerError) -> [Int32: Float] {
        guard let biases = try fields.object("logit_bias") else { return [:] }
        var result: [Int32: Float] = [:]
        for member in biases.members {
            guard let token = Int32(member.key), token >= 0, Int(token) < vocabularySize else {
                let problem = "expected token ids from 0 to \(vocabularySize - 1) as keys, found '\(member.key)'"
                throw fields.error("logit_bias", problem.inOneLine)
            }
            guard member.value != .null else { continue }
            result[token] = Float(try biases.number(member.value, of: member.key, in: -100...100))
        }
        return result
    }

    /// The maximum number of tokens after a prompt of `promptCount` tokens, given in `promptField`: `requested`, given
    /// in `field`, which must fit; by default, as many as fit.
    func maxTokens(
        requested: Int?, field: String, promptCount: Int, promptField: String, maxModelLength: Int
    ) throws(ServerError) -> Int {
        guard promptCount > 0 else { throw ServerError(.promptEmpty) }
        // A request for no output asks only for scores of the prompt; otherwise one token of output must fit.
        guard promptCount + (requested == 0 ? 0 : 1) <= maxModelLength else {
            throw .promptTooLong(field: promptField, tokenCount: promptCount, limit: maxModelLength)
        }
        let room = maxModelLength - promptCount
        guard let requested else { return room }
        guard requested <= room else {
            throw .contextTooLong(
                field: field,
                "This model's maximum context length is \(maxModelLength) tokens. However, you requested "
                    + "\(promptCount + requested) tokens (\(promptCount) in the \(promptField), \(requested) in \(field)). "
                    + "Please reduce the length of the \(promptField) or \(field).")
        }
        guard sampling.minTokens <= requested else {
            throw .invalidField("min_tokens", "\(sampling.minTokens) is more than \(field), which is \(requested)")
        }
        return requested
    }

    /// The engine's request for `prompt`; `index` makes the seeds of several prompts different.
    func request(prompt: [Int32], maxTokens: Int, index: Int = 0) -> GenerationRequest {
        var request = GenerationRequest(prompt: prompt, attributes: attributes)
        request.sampling.maxTokens = maxTokens
        request.sampling.seed &+= UInt64(index * choiceCount)
        request.choiceCount = choiceCount
        request.stopStrings = stopStrings
        request.includesStopString = includesStopString
        request.skipsSpecialTokens = skipsSpecialTokens
        return request
    }
}

/// How a response is streamed.
struct StreamOptions: Sendable, Equatable {
    /// Whether a last chunk contains the usage.
    var includesUsage = false
    /// Whether every chunk contains the usage so far (vLLM's `continuous_usage_stats`).
    var continuousUsage = false

    init() {}

    /// Reads `stream` and `stream_options`; nil: the response is not streamed.
    init?(_ fields: Fields) throws(ServerError) {
        let options = try fields.object("stream_options")
        includesUsage = try options?.bool("include_usage") ?? false
        continuousUsage = try options?.bool("continuous_usage_stats") ?? false
        guard try fields.bool("stream") == true else {
            guard options == nil else { throw fields.error("stream_options", "is only allowed with stream: true") }
            return nil
        }
    }
}
