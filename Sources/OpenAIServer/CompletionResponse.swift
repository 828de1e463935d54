import JSON
import InferenceEngine
import Requests
import Tokenization

/// Writes the response to a request of `/v1/completions`, whole or in chunks.
struct CompletionResponse: Sendable {
    private let header: JSONObject
    private let request: CompletionRequest
    private let writer: TokenWriter
    private let service: any CompletionService

    /// A response to `request` with a new id.
    init(to request: CompletionRequest, service: any CompletionService) {
        self.request = request
        self.service = service
        writer = TokenWriter(tokenizer: service.tokenizer, writesIDs: request.options.writesTokensAsIDs)
        header = .responseHeader(idPrefix: "cmpl", object: "text_completion", model: request.options.model)
    }

    /// The number of tokens of all prompts.
    var promptCount: Int { request.prompts.reduce(0) { $0 + $1.tokens.count } }

    /// The whole response, for a request without `stream`.
    func json(_ results: [PromptResult]) -> JSONValue {
        var response = header
        var usage = Usage(promptCount: promptCount)
        var choices: [JSONValue] = []
        for (promptIndex, result) in results.enumerated() {
            let prompt = request.prompts[promptIndex]
            for (index, choice) in result.choices.enumerated() {
                usage.completionCount += choice.tokens.count
                var logprobs: JSONValue?
                if let topCount = request.logprobs {
                    var legacy = LegacyLogprobs(writer, topCount: topCount)
                    if request.echo { legacy.append(prompt: prompt.tokens, scores: result.scores) }
                    for entry in choice.logprobs { legacy.append(entry) }
                    logprobs = legacy.take()
                }
                var object = JSONObject()
                object.append("index", .integer(promptIndex * request.options.choiceCount + index))
                object.append("text", .string((request.echo ? echoed(prompt) : "") + choice.text))
                object.append("logprobs", logprobs ?? .null)
                object.append("finish_reason", .string(choice.reason.name))
                object.append("stop_reason", choice.reason.stopReason(request.options.sampling))
                if request.options.returnsTokenIDs {
                    object.append("token_ids", JSONValue(choice.tokens))
                    object.append("prompt_token_ids", JSONValue(prompt.tokens))
                }
                if request.options.sendsPromptLogprobs {
                    let topCount = request.options.sampling.promptLogprobs ?? 0
                    object.append("prompt_logprobs", writer.promptLogprobs(result.scores, topCount: topCount))
                }
                choices.append(.object(object))
            }
        }
        response.append("choices", .array(choices))
        response.append("usage", usage.json)
        return .object(response)
    }

    private func echoed(_ prompt: CompletionRequest.Prompt) -> String {
        prompt.text ?? service.tokenizer.decode(prompt.tokens, skipSpecialTokens: false)
    }
}

extension CompletionResponse: StreamedResponse {
    /// What has been sent of each choice.
    struct Progress: Sendable {
        fileprivate var legacy: [LegacyLogprobs?]
        fileprivate var hasBegun: [Bool]
        var usage: Usage
    }

    var streamOptions: StreamOptions { request.options.stream ?? StreamOptions() }

    func begin() -> (progress: Progress, chunks: [JSONValue]) {
        let count = request.prompts.count * request.options.choiceCount
        let legacy = request.logprobs.map { LegacyLogprobs(writer, topCount: $0) }
        return (
            Progress(
                legacy: Array(repeating: legacy, count: count), hasBegun: Array(repeating: false, count: count),
                usage: Usage(promptCount: promptCount)),
            []
        )
    }

    func chunks(_ promptIndex: Int, _ event: GenerationEvent, _ progress: inout Progress) -> [JSONValue] {
        let first = promptIndex * request.options.choiceCount
        let prompt = request.prompts[promptIndex]
        switch event {
        case .promptScored(let scores):
            guard request.echo, request.logprobs != nil else { return [] }
            for index in first..<first + request.options.choiceCount {
                progress.legacy[index]?.append(prompt: prompt.tokens, scores: scores)
            }
            return []
        case .output(let output):
            let index = first + output.choice
            progress.usage.completionCount += output.tokens.count
            for entry in output.logprobs { progress.legacy[index]?.append(entry) }
            return [chunk(index, prompt, text: output.text, tokens: output.tokens, nil, &progress)]
        case .finished(let choice, let reason):
            return [chunk(first + choice, prompt, text: "", tokens: [], reason, &progress)]
        }
    }

    private func chunk(
        _ index: Int, _ prompt: CompletionRequest.Prompt, text: String, tokens: [Int32], _ reason: FinishReason?,
        _ progress: inout Progress
    ) -> JSONValue {
        let isFirst = !progress.hasBegun[index]
        progress.hasBegun[index] = true
        var object = JSONObject()
        object.append("index", .integer(index))
        object.append("text", .string((isFirst && request.echo ? echoed(prompt) : "") + text))
        object.append("logprobs", progress.legacy[index]?.take() ?? .null)
        object.append("finish_reason", JSONValue(reason?.name))
        object.append("stop_reason", reason?.stopReason(request.options.sampling) ?? .null)
        if request.options.returnsTokenIDs {
            object.append("token_ids", JSONValue(tokens))
            if isFirst { object.append("prompt_token_ids", JSONValue(prompt.tokens)) }
        }
        var response = header
        response.append("choices", [.object(object)])
        return .object(response)
    }

    func usageChunk(_ usage: Usage) -> JSONValue {
        var response = header
        response.append("choices", [])
        response.append("usage", usage.json)
        return .object(response)
    }

    func usage(_ progress: Progress) -> Usage { progress.usage }
}
