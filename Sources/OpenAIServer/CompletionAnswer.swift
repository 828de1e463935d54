import JSON
import InferenceEngine
import Requests
import Tokenization

/// Writes what the engine does for one request of `/v1/completions`, whole or piece by piece.
struct CompletionAnswer: Sendable {
    private let header: JSONObject
    private let body: CompletionBody
    private let writer: TokenWriter
    private let service: any CompletionService

    /// An answer to `body` with a new id.
    init(_ body: CompletionBody, service: any CompletionService) {
        self.body = body
        self.service = service
        writer = TokenWriter(tokenizer: service.tokenizer, writesIDs: body.options.writesTokensAsIDs)
        header = .answerHeader(idPrefix: "cmpl", object: "text_completion", model: service.modelName)
    }

    /// The engine's requests.
    var requests: [GenerationRequest] {
        body.prompts.enumerated().map { index, prompt in
            body.options.request(prompt: prompt.tokens, maxTokens: prompt.maxTokens, index: index)
        }
    }

    /// Tokens of all prompts.
    var promptCount: Int { body.prompts.reduce(0) { $0 + $1.tokens.count } }

    /// The whole answer.
    func json(_ results: [PromptResult]) -> JSONValue {
        var answer = header
        var usage = Usage(promptCount: promptCount)
        var choices: [JSONValue] = []
        for (promptIndex, result) in results.enumerated() {
            let prompt = body.prompts[promptIndex]
            for (index, choice) in result.choices.enumerated() {
                usage.completionCount += choice.tokens.count
                var logprobs: JSONValue?
                if let topCount = body.logprobs {
                    var legacy = LegacyLogprobs(writer, topCount: topCount)
                    if body.echo { legacy.append(prompt: prompt.tokens, scores: result.scores) }
                    for entry in choice.logprobs { legacy.append(entry) }
                    logprobs = legacy.take()
                }
                var object = JSONObject()
                object.append("index", .integer(promptIndex * body.options.choiceCount + index))
                object.append("text", .string((body.echo ? echoed(prompt) : "") + choice.text))
                object.append("logprobs", logprobs ?? .null)
                object.append("finish_reason", .string(choice.reason.name))
                object.append("stop_reason", choice.reason.stopReason(body.options.sampling))
                if body.options.returnsTokenIDs {
                    object.append("token_ids", JSONValue(choice.tokens))
                    object.append("prompt_token_ids", JSONValue(prompt.tokens))
                }
                if body.options.sendsPromptLogprobs {
                    let topCount = body.options.sampling.promptLogprobs ?? 0
                    object.append("prompt_logprobs", writer.promptLogprobs(result.scores, topCount: topCount))
                }
                choices.append(.object(object))
            }
        }
        answer.append("choices", .array(choices))
        answer.append("usage", usage.json)
        return .object(answer)
    }

    private func echoed(_ prompt: CompletionBody.Prompt) -> String {
        prompt.text ?? service.tokenizer.decode(prompt.tokens, skipSpecialTokens: false)
    }
}

extension CompletionAnswer: StreamingAnswer {
    /// What has been sent of each choice.
    struct Progress: Sendable {
        fileprivate var legacy: [LegacyLogprobs?]
        fileprivate var hasBegun: [Bool]
        var usage: Usage
    }

    var streamOptions: StreamOptions { body.options.stream ?? StreamOptions() }

    func begin() -> (progress: Progress, chunks: [JSONValue]) {
        let count = body.prompts.count * body.options.choiceCount
        let legacy = body.logprobs.map { LegacyLogprobs(writer, topCount: $0) }
        return (
            Progress(
                legacy: Array(repeating: legacy, count: count), hasBegun: Array(repeating: false, count: count),
                usage: Usage(promptCount: promptCount)),
            []
        )
    }

    func chunks(_ promptIndex: Int, _ event: GenerationEvent, _ progress: inout Progress) -> [JSONValue] {
        let first = promptIndex * body.options.choiceCount
        let prompt = body.prompts[promptIndex]
        switch event {
        case .promptScored(let scores):
            guard body.echo, body.logprobs != nil else { return [] }
            for index in first..<first + body.options.choiceCount {
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
        _ index: Int, _ prompt: CompletionBody.Prompt, text: String, tokens: [Int32], _ reason: FinishReason?,
        _ progress: inout Progress
    ) -> JSONValue {
        let isFirst = !progress.hasBegun[index]
        progress.hasBegun[index] = true
        var object = JSONObject()
        object.append("index", .integer(index))
        object.append("text", .string((isFirst && body.echo ? echoed(prompt) : "") + text))
        object.append("logprobs", progress.legacy[index]?.take() ?? .null)
        object.append("finish_reason", JSONValue(reason?.name))
        object.append("stop_reason", reason?.stopReason(body.options.sampling) ?? .null)
        if body.options.returnsTokenIDs {
            object.append("token_ids", JSONValue(tokens))
            if isFirst { object.append("prompt_token_ids", JSONValue(prompt.tokens)) }
        }
        var answer = header
        answer.append("choices", [.object(object)])
        return .object(answer)
    }

    func usageChunk(_ usage: Usage) -> JSONValue {
        var answer = header
        answer.append("choices", [])
        answer.append("usage", usage.json)
        return .object(answer)
    }

    func usage(_ progress: Progress) -> Usage { progress.usage }
}
