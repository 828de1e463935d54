import JSON
import InferenceEngine
import Requests

/// Writes the response to a request of `/v1/chat/completions`, whole or in chunks.
struct ChatResponse: Sendable {
    private let header: JSONObject
    private let chunkHeader: JSONObject
    private let request: ChatRequest
    private let writer: TokenWriter

    /// A response to `request` with a new id.
    init(to request: ChatRequest, service: any CompletionService) {
        self.request = request
        writer = TokenWriter(tokenizer: service.tokenizer, writesIDs: request.options.writesTokensAsIDs)
        let model = request.options.model
        header = .responseHeader(idPrefix: "chatcmpl", object: "chat.completion", model: model)
        chunkHeader = .responseHeader(idPrefix: "chatcmpl", object: "chat.completion.chunk", model: model)
    }

    /// The whole response, for a request without `stream`.
    func json(_ result: PromptResult) -> JSONValue {
        var response = header
        var usage = Usage(promptCount: request.prompt.count)
        var choices: [JSONValue] = []
        for (index, choice) in result.choices.enumerated() {
            usage.completionCount += choice.tokens.count
            var object = JSONObject()
            object.append("index", .integer(index))
            object.append("message", ["role": "assistant", "content": .string(choice.text), "refusal": nil])
            object.append("logprobs", logprobs(choice.logprobs))
            object.append("finish_reason", .string(choice.reason.name))
            object.append("stop_reason", choice.reason.stopReason(request.options.sampling))
            if request.options.returnsTokenIDs { object.append("token_ids", JSONValue(choice.tokens)) }
            choices.append(.object(object))
        }
        response.append("choices", .array(choices))
        response.append("usage", usage.json)
        if request.options.sendsPromptLogprobs {
            let topCount = request.options.sampling.promptLogprobs ?? 0
            response.append("prompt_logprobs", writer.promptLogprobs(result.scores, topCount: topCount))
        }
        if request.options.returnsTokenIDs { response.append("prompt_token_ids", JSONValue(request.prompt)) }
        return .object(response)
    }

    private func logprobs(_ entries: [TokenLogprobs]) -> JSONValue {
        guard let topCount = request.options.sampling.logprobs else { return .null }
        return ["content": .array(entries.map { writer.chatEntry($0, topCount: topCount) })]
    }
}

extension ChatResponse: StreamedResponse {
    var streamOptions: StreamOptions { request.options.stream ?? StreamOptions() }

    func begin() -> (progress: Usage, chunks: [JSONValue]) {
        let chunks = (0..<request.options.choiceCount).map { index in
            chunk(index, delta: ["role": "assistant", "content": ""], isFirst: index == 0)
        }
        return (Usage(promptCount: request.prompt.count), chunks)
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
        if let reason { object.append("stop_reason", reason.stopReason(request.options.sampling)) }
        if request.options.returnsTokenIDs { object.append("token_ids", JSONValue(tokens)) }
        var response = chunkHeader
        response.append("choices", [.object(object)])
        if isFirst, request.options.returnsTokenIDs { response.append("prompt_token_ids", JSONValue(request.prompt)) }
        return .object(response)
    }

    func usageChunk(_ usage: Usage) -> JSONValue {
        var response = chunkHeader
        response.append("choices", [])
        response.append("usage", usage.json)
        return .object(response)
    }

    func usage(_ progress: Usage) -> Usage { progress }
}
