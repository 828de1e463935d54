public import KVCaching
public import Requests

/// Decides what each step computes, and owns the one block manager.
///
/// There is no prefill and no decode: each step brings `computedCount` of some requests closer to `tokens.count`
/// under one token budget. Running requests come first, in order; then waiting ones, as long as nothing had to be
/// preempted. The mechanism is here, the choices are the policy's.
///
/// Use: `schedule`, run the output, `update` with the result; `add`, `abort` and `failStep` between steps.
public struct Scheduler: ~Copyable, Sendable {
    /// The bounds it keeps.
    public let limits: SchedulerLimits
    private var cache: KVCacheManager
    private var policy: any SchedulerPolicy
    private var running: [Request] = []
    private var waiting: [Request] = []
    private var finishedIDs: [RequestID] = []
    private var counters = SchedulerStatistics()

    /// A scheduler over `cache`. Precondition: a sequence of `maxModelLength` tokens fits into the cache alone, so
    /// that every request that is taken can finish.
    public init(limits: SchedulerLimits, cache: consuming KVCacheManager, policy: any SchedulerPolicy) {
        precondition(
            cache.blockCount(forTokens: limits.maxModelLength) <= cache.blockCount,
            "\(limits.maxModelLength) tokens do not fit into \(cache.blockCount) blocks")
        self.limits = limits
        self.cache = cache
        self.policy = policy
    }

    /// Whether any request is left.
    public var isIdle: Bool { running.isEmpty && waiting.isEmpty }

    /// Counts for metrics and logs.
    public var statistics: SchedulerStatistics {
        var statistics = counters
        statistics.runningCount = running.count
        statistics.waitingCount = waiting.count
        statistics.blockCount = cache.blockCount
        statistics.freeBlockCount = cache.freeBlockCount
        return statistics
    }

    // MARK: Arrival and departure

    /// Lets `request` wait. Precondition: prompt and at least one token more (none for `maxTokens` 0) fit into
    /// `maxModelLength`; whoever submits has refused longer ones.
    public mutating func add(_ request: Request) {
        precondition(
            request.promptCount + min(1, request.sampling.maxTokens) <= limits.maxModelLength,
            "\(request.id) is too long")
        waiting.append(request)
    }

    /// Drops a request and frees its blocks at once. Returns false for one that has already ended.
    public mutating func abort(_ id: RequestID) -> Bool {
        if let index = running.firstIndex(where: { $0.id == id }) {
            retire(at: index)
            return true
        }
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return false }
        if waiting[index].wasAdmitted { finishedIDs.append(id) }
        waiting.remove(at: index)
        return true
    }

    /// Drops the requests of a step that the device failed to run, and forgets what the cache held.
    /// Returns their names. Other requests lose nothing but computed tokens.
    public mutating func failStep(_ output: SchedulerOutput) -> [RequestID] {
        let failed = Set(output.scheduled.map(\.id))
        for index in running.indices.reversed() {
            if failed.contains(running[index].id) { retire(at: index) } else { preempt(at: index) }
        }
        cache.forgetPrefixes()
        return output.scheduled.map(\.id)
    }

    // MARK: A step

    /// The next step's work: every running request's next tokens, then as many waiting requests as fit.
    public mutating func schedule(at now: EngineInstant) -> SchedulerOutput {
        var output = SchedulerOutput()
        swap(&output.finished, &finishedIDs)
        var budget = StepBudget(limits)
        continueRunning(&output, &budget, at: now)
        if output.preempted.isEmpty { admitWaiting(&output, &budget, at: now) }
        return output
    }

    private mutating func continueRunning(
        _ output: inout SchedulerOutput, _ budget: inout StepBudget, at now: EngineInstant
    ) {
        var index = 0
        next: while index < running.count {
            guard let chunk = Chunk(of: running[index], computedCount: running[index].computedCount, within: budget)
            else {
                index += 1
                continue
            }
            let tokenCount = running[index].computedCount + chunk.tokenCount
            while !cache.extend(&running[index].blocks, toTokens: tokenCount) {
                let victim = chooseVictim(at: now)
                let id = running[victim].id
                preempt(at: victim)
                output.preempted.append(id)
                if let scheduled = output.scheduled.firstIndex(where: { $0.id == id }) {
                    budget.refund(output.scheduled.remove(at: scheduled))
                }
                // Whoever stood behind the victim has moved up; the victim itself is done for this step.
                if victim == index { continue next }
                if victim < index { index -= 1 }
            }
            output.scheduled.append(ScheduledRequest(running[index], chunk))
            budget.spend(chunk)
            index += 1
        }
    }

    private mutating func admitWaiting(
        _ output: inout SchedulerOutput, _ budget: inout StepBudget, at now: EngineInstant
    ) {
        guard !waiting.isEmpty, running.count < limits.maxSequenceCount, budget.tokenCount > 0 else { return }
        var views = waiting.indices.map { RequestView(waiting[$0], index: $0) }
        policy.order(&views, at: now)
        var admitted = Set<Int>()
        for view in views where !admitted.contains(view.index) {
            guard running.count < limits.maxSequenceCount else { break }
            guard admit(at: view.index, &output, &budget) else { break }
            admitted.insert(view.index)
        }
        guard !admitted.isEmpty else { return }
        waiting = waiting.indices.filter { !admitted.contains($0) }.map { waiting[$0] }
    }

    /// Moves a copy of `waiting[index]` to the running requests; false, with nothing changed, when there is no room.
    private mutating func admit(at index: Int, _ output: inout SchedulerOutput, _ budget: inout StepBudget) -> Bool {
        var request = waiting[index]
        // Positions that must be scored have to be computed, cached or not.
        let isScoring = request.sampling.promptLogprobs != nil && request.scoredCount < request.promptCount - 1
        let tokens = isScoring ? [] : request.tokens
        guard
            let cachedCount = cache.begin(
                &request.blocks, tokens: tokens, salt: request.cacheSalt,
                roomFor: { [request, budget] in Chunk(of: request, computedCount: $0, within: budget)?.tokenCount })
        else { return false }
        request.computedCount = cachedCount
        request.cachedCount = cachedCount
        guard let chunk = Chunk(of: request, computedCount: cachedCount, within: budget) else {
            preconditionFailure("the cache made room for a chunk")
        }
        if !request.wasAdmitted {
            output.admitted.append(AdmittedRequest(request))
            request.wasAdmitted = true
        }
        counters.prefixQueryCount += tokens.count
        counters.prefixHitCount += cachedCount
        request.status = .running
        output.scheduled.append(ScheduledRequest(request, chunk))
        budget.spend(chunk)
        running.append(request)
        return true
    }

    /// Takes in what a step produced: appends tokens, makes full blocks findable, ends requests and frees their
    /// blocks. Returns one entry for each scheduled request, in order.
    public mutating func update(_ output: SchedulerOutput, with result: ModelRunnerOutput) -> [RequestProgress] {
        precondition(result.results.count == output.scheduled.count, "one result for each scheduled request")
        var progress: [RequestProgress] = []
        progress.reserveCapacity(output.scheduled.count)
        var ended: [Int] = []
        var index = 0
        for (scheduled, step) in zip(output.scheduled, result.results) {
            // Both are in the order of the running requests; those without work are passed over.
            while running[index].id != scheduled.id { index += 1 }
            let finish = running[index].advance(by: scheduled, with: step, maxModelLength: limits.maxModelLength)
            cache.register(
                &running[index].blocks, tokens: running[index].tokens, computedCount: running[index].computedCount,
                salt: running[index].cacheSalt)
            if finish != nil { ended.append(index) }
            progress.append(
                RequestProgress(
                    id: scheduled.id, token: step.token, logprobs: step.logprobs, promptLogprobs: step.promptLogprobs,
                    finish: finish))
            index += 1
        }
        for index in ended.reversed() { retire(at: index) }
        return progress
    }

    // MARK: Taking blocks back

    /// Index of the running request that the policy gives up; the last one where it names none.
    private mutating func chooseVictim(at now: EngineInstant) -> Int {
        let views = running.indices.map { RequestView(running[$0], index: $0) }
        let id = policy.victim(among: views, at: now)
        return views.first { $0.id == id }?.index ?? running.count - 1
    }

    private mutating func preempt(at index: Int) {
        var request = running.remove(at: index)
        cache.free(&request.blocks)
        request.computedCount = 0
        request.preemptionCount += 1
        request.status = .preempted
        counters.preemptionCount += 1
        waiting.append(request)
    }

    private mutating func retire(at index: Int) {
        var request = running.remove(at: index)
        cache.free(&request.blocks)
        finishedIDs.append(request.id)
    }

    /// The first broken invariant, in words; nil when all hold. For tests.
    public func checkInvariants() -> String? {
        if running.count > limits.maxSequenceCount { return "\(running.count) requests run" }
        for request in running {
            if request.remainingCount < 0 { return "\(request.id) computed more tokens than it has" }
            if cache.blockCount(forTokens: request.computedCount) > request.blocks.blocks.count {
                return "\(request.id) has computed tokens without blocks"
            }
        }
        for request in waiting where !request.blocks.blocks.isEmpty || request.computedCount != 0 {
            return "\(request.id) waits and holds blocks"
        }
        return cache.checkInvariants(tables: running.map(\.blocks))
    }
}

extension AdmittedRequest {
    init(_ request: Request) {
        self.init(id: request.id, prompt: Array(request.tokens.prefix(request.promptCount)), sampling: request.sampling)
    }
}
