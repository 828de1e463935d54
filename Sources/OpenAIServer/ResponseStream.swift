import InferenceEngine
import Requests

/// The engine's output for one HTTP request: a stream of events for each of its prompts.
///
/// Ending the iteration or releasing the value aborts the requests that still run.
struct ResponseStream: Sendable {
    private let streams: [AsyncThrowingStream<GenerationEvent, any Error>]
    private let choiceCount: Int

    /// Submits all `requests` to `service`. If one is refused, those before it are aborted.
    static func submit(
        _ requests: [GenerationRequest], choiceCount: Int, to service: any CompletionService
    ) throws(ServerError) -> ResponseStream {
        var streams: [AsyncThrowingStream<GenerationEvent, any Error>] = []
        for request in requests {
            do throws(EngineError) { streams.append(try service.submit(request)) } catch { throw ServerError(error) }
        }
        return ResponseStream(streams: streams, choiceCount: choiceCount)
    }

    /// Calls `body` with each event and the index of its prompt until all choices have finished.
    ///
    /// Throws `CancellationError` if the task is cancelled, and `ServerError` if the device or the engine fails or the
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
                // Finishes `merged` when all streams have ended, with or without an error.
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

    /// The whole output, by prompt.
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

/// The output for one prompt.
struct PromptResult: Sendable {
    /// Scores of the prompt's tokens from the second on, if requested.
    var scores: [TokenLogprobs] = []
    var choices: [ChoiceResult]
}

/// One continuation.
struct ChoiceResult: Sendable {
    var text = ""
    /// The tokens, including the one that ended it.
    var tokens: [Int32] = []
    /// One entry for each token, if requested.
    var logprobs: [TokenLogprobs] = []
    var reason = FinishReason.abort

    /// Appends the output of one step.
    mutating func append(_ output: GenerationOutput) {
        text += output.text
        tokens += output.tokens
        logprobs += output.logprobs
    }
}
