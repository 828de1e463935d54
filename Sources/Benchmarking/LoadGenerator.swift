public import InferenceEngine
import Requests

/// Drives an engine with a workload and measures the times of its tokens.
public struct LoadGenerator: Sendable {
    let engine: AsyncLLMEngine

    /// A generator of load for `engine`.
    public init(_ engine: AsyncLLMEngine) {
        self.engine = engine
    }

    /// Runs a short request, or one for each of `adapters`, so that what happens only once is not measured. Throws as `run`
    /// does.
    func warmUp(_ adapters: [AdapterID] = []) async throws {
        var workload = Workload()
        workload.adapters = adapters
        workload.requestCount = max(1, adapters.count)
        workload.concurrency = 1
        workload.promptTokenCount = 16...16
        workload.outputTokenCount = 4...4
        _ = try await run(workload)
    }

    /// Runs the whole workload, greedily and to its full length. Throws what the engine throws, and
    /// `EngineError.deviceFailed` where a request fails.
    public func run(_ workload: Workload) async throws -> LoadMeasurement {
        let items = workload.items(vocabularySize: engine.limits.vocabularySize)
        let start = ContinuousClock.now
        let times = try await times(of: items, concurrency: workload.concurrency)
        let seconds = start.duration(to: .now) / .seconds(1)
        return LoadMeasurement(
            times: times, promptTokenCount: items.reduce(0) { $0 + $1.prompt.count }, seconds: seconds)
    }

    /// Runs `items` with the given concurrency and returns the times of their tokens.
    func times(of items: [Workload.Item], concurrency: Int) async throws -> [RequestTimes] {
        var times: [RequestTimes] = []
        try await withThrowingTaskGroup(of: RequestTimes.self) { group in
            var rest = items[...]
            for item in rest.prefix(concurrency) { group.addTask { try await time(item) } }
            rest = rest.dropFirst(concurrency)
            while let done = try await group.next() {
                times.append(done)
                if let item = rest.popFirst() { group.addTask { try await time(item) } }
            }
        }
        return times
    }

    private func time(_ item: Workload.Item) async throws -> RequestTimes {
        var request = GenerationRequest(prompt: item.prompt)
        request.sampling.temperature = 0
        request.sampling.maxTokens = item.outputTokenCount
        request.attributes.adapter = item.adapter
        return try await time(request, since: .now)
    }

    /// Submits `request` and returns the times of its tokens, counted from `start`.
    func time(_ request: GenerationRequest, since start: ContinuousClock.Instant) async throws -> RequestTimes {
        var times = RequestTimes()
        var last = start
        for try await event in try engine.submit(request) {
            switch event {
            case .output(let output):
                let now = ContinuousClock.now
                times.append(last.duration(to: now) / .seconds(1), tokenCount: output.tokens.count)
                last = now
            case .finished(_, .failure(let sentence)): throw EngineError.deviceFailed(sentence)
            case .finished(_, .rejected(let sentence)): throw EngineError.rejected(sentence)
            case .finished, .promptScored: break
            }
        }
        times.total = start.duration(to: last) / .seconds(1)
        return times
    }
}

/// The times of one request's tokens, in seconds.
struct RequestTimes: Sendable {
    /// From submission to the first token.
    private(set) var toFirstToken = 0.0
    /// Between each later token and the one before it.
    private(set) var betweenTokens: [Double] = []
    private(set) var outputTokenCount = 0
    /// From submission to the last token.
    var total = 0.0

    mutating func append(_ seconds: Double, tokenCount: Int) {
        if outputTokenCount == 0 { toFirstToken = seconds } else { betweenTokens.append(seconds) }
        outputTokenCount += tokenCount
    }
}
