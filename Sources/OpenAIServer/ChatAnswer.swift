import JSON
import InferenceEngine
import Requests

/// Writes what the engine does for one request of `/v1/chat/completions`, whole or piece by piece.
struct ChatAnswer: Sendable {
    private let header: JSONObject
    private let chunkHeader: JSONObject
    private let body: ChatBody
    private let writer: TokenWriter

    /// An answer to `body` with a new id.
    init(_ body: ChatBody, service: any CompletionService) {
        self.body = body
        writer = TokenWriter(tokenizer: service.tokenizer, writesIDs: body.options.writesTokensAsIDs)
        let model = service.modelName
        header = .answerHeader(idPrefix: "chatcmpl", object: "chat.completion", model: model)
        chunkHeader = .answerHeader(idPrefix: "chatcmpl", object: "chat.completion.chunk", model: model)
    }

    /// The engine's request.
    var request: GenerationRequest { body.options.request(prompt: body.prompt, maxTokens: body.maxTokens) }

    /// The whole answer.
    func json(_ result: PromptResult) -> JSONValue {
        var answer = header
        var usage = Usage(promptCount: body.prompt.count)
        var choices: [JSONValue] = []
        for (index, choice) in result.choices.enumerated() {
            usage.completionCount += choice.tokens.count
            var object = JSONObject()
            object.append("index", .integer(index))
            object.append("message", ["role": "assistant", "content": .string(choice.text), "refusal": nil])
            object.append("logprobs", logprobs(choice.logprobs))
            object.append("finish_reason", .string(choice.reason.name))
            object.append("stop_reason", choice.reason.stopReason(body.options.sampling))
            if body.options.returnsTokenIDs { object.append("token_ids", JSONValue(choice.tokens)) }
            choices.append(.object(object))
        }
        answer.append("choices", .array(choices))
        answer.append("usage", usage.json)
        if body.options.sendsPromptLogprobs {
            let topCount = body.options.sampling.promptLogprobs ?? 0
            answer.append("prompt_logprobs", writer.promptLogprobs(result.scores, topCount: topCount))
        }
        if body.options.returnsTokenIDs { answer.append("prompt_token_ids", JSONValue(body.prompt)) }
        return .object(answer)
    }

    private func logprobs(_ entries: [TokenLogprobs]) -> JSONValue {
        guard let topCount = body.options.sampling.logprobs else { return .null }
        return ["content": .array(entries.map { writer.chatEntry($0, topCount: topCount) })]
    }
}

extension ChatAnswer: StreamingAnswer {
    var streamOptions: StreamOptions { body.options.stream ?? StreamOptions() }

    func begin() -> (progress: Usage, chunks: [JSONValue]) {
        let chunks = (0..<body.options.choiceCount).map { index in
            chunk(index, delta: ["role": "assistant", "content": ""], isFirst: index == 0)
        }
        return (Usage(promptCount: body.prompt.count), chunks)
    }

    func chunks(_ prompt: Int, _ event: GenerationEvent, _ progress: inout Usage) -> [JSONValue] {
        switch event {
        case .promptScored: return []
        case .output(let output):
            progress.completionCount += output.tokens.count
            let delta: JSONValue = ["content": .string(output.text)]
            return [chunk(output.choice, delta: delta, logprobs: output.logprobs, tokens: output.tokens)]
        case .finished(let choice, let reason): return [chunk(choice, delta: [:], reason: reason)]
        }
    }

    private func chunk(
        _ index: Int, delta: JSONValue, logprobs entries: [TokenLogprobs] = [], tokens: [Int32] = [],
        reason: FinishReason? = nil, isFirst: Bool = false
    ) -> JSONValue {
        var object = JSONObject()
        object.append("index", .integer(index))
        object.append("delta", delta)
        object.append("logprobs", entries.isEmpty ? .null : logprobs(entries))
        object.append("finish_reason", JSONValue(reason?.name))
        if let reason { object.append("stop_reason", reason.stopReason(body.options.sampling)) }
        if body.options.returnsTokenIDs { object.append("token_ids", JSONValue(tokens)) }
        var answer = chunkHeader
        answer.append("choices", [.object(object)])
        if isFirst, body.options.returnsTokenIDs { answer.append("prompt_token_ids", JSONValue(body.prompt)) }
        return .object(answer)
    }

    func usageChunk(_ usage: Usage) -> JSONValue {
        var answer = chunkHeader
        answer.append("choices", [])
        answer.append("usage", usage.json)
        return .object(answer)
    }

    func usage(_ progress: Usage) -> Usage { progress }
}
