public import InferenceEngine
import Requests
public import Scheduling
public import Simulation

/// Sends a trace to a running engine, each request when it is due, and measures the times of its tokens.
public struct TraceReplay: Sendable {
    private let engine: AsyncLLMEngine
    /// How often the engine's counts are read.
    private static let interval = Duration.milliseconds(5)

    public init(_ engine: AsyncLLMEngine) {
        self.engine = engine
    }

    /// Warms the engine up, and reads what it has: blocks, swap space. Throws what the engine throws.
    public func warmUp() async throws -> SchedulerStatistics {
        try await LoadGenerator(engine).warmUp()
        return engine.statistics
    }

    /// Replays `requests`, greedily, each to exactly its length; times count from the moment it was due. Throws what
    /// the engine throws, `EngineError.deviceFailed` where a request fails, and `EngineError.rejected` where the policy
    /// refuses one.
    public func run(
        _ requests: [TraceRequest], progress: @escaping @Sendable (Int) -> Void
    ) async throws -> ReplayFigures {
        let before = engine.statistics
        let start = ContinuousClock.now
        let watch = Task { await self.watch() }
        defer { watch.cancel() }
        var times: [RequestTimes] = []
        try await withThrowingTaskGroup(of: RequestTimes.self) { group in
            for (number, request) in requests.enumerated() {
                let due = start.advanced(by: .seconds(request.arrivalSeconds))
                group.addTask { try await send(request, UInt64(number), at: due) }
            }
            while let done = try await group.next() {
                times.append(done)
                progress(times.count)
            }
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        watch.cancel()
        return ReplayFigures(
            times, seconds: seconds, from: before, to: engine.statistics, watched: await watch.value)
    }

    private func send(
        _ request: TraceRequest, _ number: UInt64, at due: ContinuousClock.Instant
    ) async throws -> RequestTimes {
        let tokens = request.promptTokens(number: number, vocabularySize: engine.limits.vocabularySize)
        var generation = GenerationRequest(prompt: tokens)
        generation.sampling.temperature = 0
        generation.sampling.maxTokens = request.outputCount
        generation.attributes.priority = request.priority
        generation.attributes.tenant = request.tenant
        generation.attributes.deadlineSeconds = request.deadlineSeconds
        try await Task.sleep(until: due, clock: .continuous)
        return try await LoadGenerator(engine).time(generation, since: due)
    }

    /// Reads the engine's counts until it is cancelled.
    private func watch() async -> WatchedCounts {
        var counts = WatchedCounts()
        while !Task.isCancelled {
            counts.add(engine.statistics)
            try? await Task.sleep(for: Self.interval)
        }
        return counts
    }
}

/// What a watched engine held, while it had something to do.
struct WatchedCounts: Sendable {
    private var count = 0
    private var (running, cache) = (0.0, 0.0)
    private(set) var maxRunning = 0
    private(set) var maxCacheUse = 0.0

    mutating func add(_ statistics: SchedulerStatistics) {
        guard statistics.runningCount > 0 else { return }
        count += 1
        running += Double(statistics.runningCount)
        cache += statistics.cacheUsage
        maxRunning = max(maxRunning, statistics.runningCount)
        maxCacheUse = max(maxCacheUse, statistics.cacheUsage)
    }

    var meanRunning: Double { count > 0 ? running / Double(count) : 0 }
    var meanCacheUse: Double { count > 0 ? cache / Double(count) : 0 }
}
