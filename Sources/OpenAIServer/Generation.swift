import InferenceEngine
import Requests

/// The engine's work for one HTTP request: one stream of events for each of its prompts.
///
/// Ending the iteration or dropping the value aborts whatever still runs.
struct Generation: Sendable {
    private let streams: [AsyncThrowingStream<GenerationEvent, any Error>]
    private let choiceCount: Int

    /// Submits all `requests`, or none: where one is refused, those before it are aborted.
    init(_ requests: [GenerationRequest], choiceCount: Int, service: any CompletionService) throws(ServerError) {
        var streams: [AsyncThrowingStream<GenerationEvent, any Error>] = []
        for request in requests {
            do throws(EngineError) { streams.append(try service.submit(request)) } catch { throw ServerError(error) }
        }
        self.streams = streams
        self.choiceCount = choiceCount
    }

    /// Calls `body` with each event and the index of its prompt, until every choice has finished.
    ///
    /// Throws `CancellationError` where the task is cancelled, `ServerError` where the device or the engine fails or the
    /// scheduling policy refuses a prompt.
    func forEach(_ body: (_ prompt: Int, _ event: GenerationEvent) async throws -> Void) async throws {
        var unfinished = streams.count * choiceCount
        func handle(_ prompt: Int, _ event: GenerationEvent) async throws {
            if case .finished(_, let reason) = event {
                if case .failure(let sentence) = reason { throw ServerError.unavailable(sentence) }
                if case .rejected(let sentence) = reason { throw ServerError.overloaded(sentence) }
                unfinished -= 1
            }
            try await body(prompt, event)
        }
        if streams.count == 1 {
            for try await event in streams[0] { try await handle(0, event) }
        } else {
            try await forEachMerged(handle)
        }
        try Task.checkCancellation()
        guard unfinished == 0 else { throw ServerError.internalFailure("the engine ended the request early") }
    }

    private func forEachMerged(_ body: (Int, GenerationEvent) async throws -> Void) async throws {
        let (merged, continuation) = AsyncThrowingStream<(Int, GenerationEvent), any Error>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // Ends `merged` when all streams have ended, however they did.
                await withTaskGroup(of: Void.self) { readers in
                    for (index, stream) in streams.enumerated() {
                        readers.addTask {
                            do {
                                for try await event in stream { continuation.yield((index, event)) }
                            } catch { continuation.finish(throwing: error) }
                        }
                    }
                }
                continuation.finish()
            }
            for try await (index, event) in merged { try await body(index, event) }
            group.cancelAll()
        }
    }

    /// Everything that comes out, by prompt.
    func collect() async throws -> [PromptResult] {
        let empty = PromptResult(choices: Array(repeating: ChoiceResult(), count: choiceCount))
        var results = Array(repeating: empty, count: streams.count)
        try await forEach { prompt, event in
            switch event {
            case .promptScored(let scores): results[prompt].scores = scores
            case .output(let output):
                results[prompt].choices[output.choice].append(output)
            case .finished(let choice, let reason): results[prompt].choices[choice].reason = reason
            }
        }
        return results
    }
}

/// What came of one prompt.
struct PromptResult: Sendable {
    /// Scores of the prompt's tokens from the second on, where asked for.
    var scores: [TokenLogprobs] = []
    /// The continuations.
    var choices: [ChoiceResult]
}

/// One continuation.
struct ChoiceResult: Sendable {
    /// Its text.
    var text = ""
    /// Its tokens, the one that ended it included.
    var tokens: [Int32] = []
    /// One entry for each token, where asked for.
    var logprobs: [TokenLogprobs] = []
    /// Why it ended.
    var reason = FinishReason.abort

    /// Adds what one step produced.
    mutating func append(_ output: GenerationOutput) {
        text += output.text
        tokens += output.tokens
        logprobs += output.logprobs
    }
}
