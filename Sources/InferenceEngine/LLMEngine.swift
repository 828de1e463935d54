public import Requests
public import Scheduling
public import Tokenization

/// Names a submission, which has one request for each of its choices.
public struct GenerationID: Hashable, Sendable {
    let rawValue: UInt64
}

/// The engine itself, synchronous: requests go in, `step()` brings them forward, events come out.
///
/// One thread owns it; `AsyncLLMEngine` is that thread. Tests and simulations step it by hand.
public struct LLMEngine: ~Copyable {
    private var scheduler: Scheduler
    private var executor: any ModelExecutor
    private let tokenizer: any Tokenizer
    private let clock: any EngineClock
    private let metrics: EngineMetrics?
    private var complaints: PolicyComplaints
    private var choices: [RequestID: Choice] = [:]
    private var generations: [GenerationID: Generation] = [:]
    private var lastRequestNumber: UInt64 = 0
    /// What metrics have heard of.
    private var published = SchedulerStatistics()

    private struct Generation {
        let emit: @Sendable (GenerationEvent) -> Void
        var requests: [RequestID]
        /// Scores of the prompt so far, and how many there will be.
        var promptLogprobs: [TokenLogprobs] = []
        let scoredCount: Int
    }

    /// An engine over `executor`, which must have the blocks that the scheduler hands out. `report` hears of failures of
    /// the scheduling policy, one sentence now and then.
    public init(
        scheduler: consuming Scheduler, executor: any ModelExecutor, tokenizer: any Tokenizer,
        clock: any EngineClock = MonotonicEngineClock(), metrics: EngineMetrics? = nil,
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.scheduler = scheduler
        self.executor = executor
        self.tokenizer = tokenizer
        self.clock = clock
        self.metrics = metrics
        complaints = PolicyComplaints(report)
    }

    /// Whether a step would do nothing.
    public var isIdle: Bool { scheduler.isIdle }

    /// Counts for metrics and logs.
    public var statistics: SchedulerStatistics { scheduler.statistics }

    /// Takes a request that `AsyncLLMEngine` has checked. `emit` gets its events, on the engine's thread, from `step`.
    public mutating func submit(
        _ request: GenerationRequest, as id: GenerationID, emit: @escaping @Sendable (GenerationEvent) -> Void
    ) {
        let now = clock.now()
        let isScored = request.sampling.promptLogprobs != nil
        var generation = Generation(
            emit: emit, requests: [], scoredCount: isScored ? request.prompt.count - 1 : 0)
        let stops =
            request.stopStrings.isEmpty
            ? nil : StopStringMatcher(stopStrings: request.stopStrings, includesStop: request.includesStopString)
        for index in 0..<request.choiceCount {
            var sampling = request.sampling
            sampling.seed &+= UInt64(index)
            // Every choice has the same prompt: the first one scores it.
            if index > 0 { sampling.promptLogprobs = nil }
            lastRequestNumber += 1
            let requestID = RequestID(lastRequestNumber)
            generation.requests.append(requestID)
            choices[requestID] = Choice(
                index: index, generation: id, request: request, sampling: sampling, stops: stops, arrival: now,
                tokenizer: tokenizer)
            scheduler.add(
                Request(
                    id: requestID, prompt: request.prompt, sampling: sampling, arrival: now,
                    priority: request.priority, tenant: request.tenant,
                    deadline: request.deadlineSeconds.map { now.advanced(bySeconds: $0) },
                    cacheSalt: request.cacheSalt, leader: generation.requests[0]))
        }
        generations[id] = generation
    }

    /// Ends a submission whose client went away; its blocks are free at once.
    public mutating func abort(_ id: GenerationID) {
        guard let generation = generations[id] else { return }
        for request in generation.requests where scheduler.abort(request) { end(request, .abort) }
        publish()
    }

    /// Ends everything.
    public mutating func abortAll() {
        for id in Array(generations.keys) { abort(id) }
    }

    /// Brings every scheduled request forward by one step.
    public mutating func step() {
        let output = scheduler.schedule(at: clock.now())
        recordAdmissions(output)
        for rejected in output.rejected { end(rejected.id, .rejected(rejected.reason)) }
        do {
            let result = try executor.execute(output)
            deliver(scheduler.update(output, with: result, at: clock.now()))
        } catch {
            for request in scheduler.failStep(output) { end(request, .failure("\(error)")) }
        }
        publish()
    }

    // MARK: Events

    private mutating func deliver(_ progress: [RequestProgress]) {
        let now = clock.now()
        for entry in progress {
            deliverScores(entry)
            var finish = entry.finish
            if let token = entry.token, let stopString = deliver(token, of: entry, at: now) {
                // The text ends before the scheduler knew.
                let reason = FinishReason.stopString(stopString)
                _ = scheduler.end(entry.id, reason)
                finish = reason
            }
            if let finish { end(entry.id, finish) }
        }
    }

    private mutating func deliver(_ token: Int32, of entry: RequestProgress, at now: EngineInstant) -> String? {
        guard var choice = choices[entry.id] else { return nil }
        metrics?.recordToken(
            isFirst: choice.lastTokenTime == nil, after: now.seconds(since: choice.lastTokenTime ?? choice.arrival))
        let (output, stopString) = choice.append(token, logprobs: entry.logprobs, finish: entry.finish, at: now)
        choices[entry.id] = choice
        generations[choice.generation]?.emit(.output(output))
        return stopString
    }

    private mutating func deliverScores(_ entry: RequestProgress) {
        guard !entry.promptLogprobs.isEmpty, let id = choices[entry.id]?.generation else { return }
        generations[id]?.promptLogprobs += entry.promptLogprobs
        guard let generation = generations[id], generation.promptLogprobs.count == generation.scoredCount else {
            return
        }
        generation.emit(.promptScored(generation.promptLogprobs))
    }

    private mutating func end(_ request: RequestID, _ reason: FinishReason) {
        guard let choice = choices.removeValue(forKey: request) else { return }
        metrics?.recordEnd(reason, after: clock.now().seconds(since: choice.arrival))
        generations[choice.generation]?.emit(.finished(choice: choice.index, reason: reason))
        generations[choice.generation]?.requests.removeAll { $0 == request }
        if generations[choice.generation]?.requests.isEmpty == true { generations[choice.generation] = nil }
    }

    private func recordAdmissions(_ output: SchedulerOutput) {
        guard let metrics, !output.admitted.isEmpty else { return }
        let now = clock.now()
        for admitted in output.admitted {
            guard let choice = choices[admitted.id] else { continue }
            metrics.recordAdmission(
                promptCount: admitted.prompt.count, queued: now.seconds(since: choice.arrival))
        }
    }

    private mutating func publish() {
        let statistics = scheduler.statistics
        metrics?.publish(statistics, since: published)
        published = statistics
        complaints.hear(statistics.policyFailures, at: clock.now())
    }
}
