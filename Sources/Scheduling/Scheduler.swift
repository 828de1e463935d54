public import KVCaching
public import Requests

/// Decides what each step computes, and owns the one block manager.
///
/// There is no prefill and no decode: each step brings `computedCount` of some requests closer to `tokens.count`
/// under one token budget. Running requests come first, in order; then waiting ones, as long as nothing had to be
/// preempted. The mechanism is here, the choices are the policy's.
///
/// Use: `schedule`, run the output, `update` with the result; `add`, `abort` and `failStep` between steps.
///
/// That it always goes on: some request runs whenever one waits; the first of the running requests is computed in
/// every step and, once a policy has used up its preemptions, loses its blocks to nobody; and any request fits into
/// the cache alone. So whatever the policy says, requests keep finishing.
public struct Scheduler: ~Copyable, Sendable {
    typealias Slot = RequestTable.Slot

    /// The bounds it keeps.
    public let limits: SchedulerLimits
    var cache: KVCacheManager
    var policy: GuardedPolicy
    var table = RequestTable()
    /// In order of admission.
    var running: [Slot] = []
    var waiting = WaitingQueue()
    /// Requests that wait for others, outside of the policy's lines.
    var heldCount = 0
    /// Requests whose prompts are scored, or were.
    var scoredRequestCount = 0
    var finishedIDs: [RequestID] = []
    var counters = SchedulerStatistics()
    var stepNumber = 0
    /// The slots of the last step's requests, in its order.
    var stepSlots: [Slot] = []
    /// The latest moment heard of.
    var clock = EngineInstant(nanoseconds: 0)
    /// What computing again and moving take.
    var speeds: SpeedMeter
    /// When the last step began.
    var stepStart = EngineInstant(nanoseconds: 0)

    /// A scheduler over `cache`. Precondition: a sequence of `maxModelLength` tokens fits into the cache alone, so
    /// that every request that is taken can finish. Without `speeds`, what preemptions cost is measured.
    public init(
        limits: SchedulerLimits, cache: consuming KVCacheManager, policy: any SchedulerPolicy,
        speeds: PreemptionSpeeds? = nil
    ) {
        precondition(
            cache.blockCount(forTokens: limits.maxModelLength) <= cache.blockCount,
            "\(limits.maxModelLength) tokens do not fit into \(cache.blockCount) blocks")
        self.limits = limits
        self.cache = cache
        self.policy = GuardedPolicy(policy)
        self.speeds = SpeedMeter(given: speeds)
    }

    /// Whether any request is left.
    public var isIdle: Bool { table.count == 0 }

    /// Counts for metrics and logs.
    public var statistics: SchedulerStatistics {
        var statistics = counters
        statistics.runningCount = running.count
        statistics.waitingCount = waiting.count + heldCount
        statistics.blockCount = cache.blockCount
        statistics.freeBlockCount = cache.freeBlockCount
        statistics.swapBlockCount = cache.swapBlockCount
        statistics.freeSwapBlockCount = cache.freeSwapBlockCount
        statistics.policyFailures = policy.failures
        let moves = cache.moveCounts
        statistics.movedOutBlockCount = moves.out
        statistics.movedInBlockCount = moves.in
        statistics.copiedBlockCount = moves.copied
        statistics.swappedPrefixHitCount = moves.swappedHits * cache.blockSize
        return statistics
    }

    /// The next step's work: every running request's next tokens, then as many waiting requests as fit.
    public mutating func schedule(at now: EngineInstant) -> SchedulerOutput {
        clock = max(clock, now)
        stepNumber += 1
        stepStart = clock
        var output = SchedulerOutput()
        swap(&output.finished, &finishedIDs)
        guard !isIdle else { return output }
        let whole = load(tokenBudget: limits.maxBatchedTokenCount)
        var plan = StepPlan(limits, share: policy.share(of: whole, at: clock), at: clock)
        continueRunning(&plan)
        if plan.preempted.isEmpty {
            plan.beginAdmitting()
            admitWaiting(&output, &plan)
        }
        // Whoever had the whole budget may have been preempted for one that found no room after all.
        if plan.isEmpty { continueRunning(&plan) }
        finish(plan, &output)
        return output
    }

    /// Turns what is planned into plain data, and lets the preempted wait.
    private mutating func finish(_ plan: StepPlan, _ output: inout SchedulerOutput) {
        if !plan.preempted.isEmpty {
            running.removeAll { [table] in !table.isRunning($0) }
        }
        for slot in plan.preempted {
            output.preempted.append(table[slot].request.id)
            enqueue(slot)
        }
        stepSlots.removeAll(keepingCapacity: true)
        output.scheduled.reserveCapacity(plan.entries.count)
        for entry in plan.entries where !entry.isWithdrawn {
            table[entry.slot].entry = nil
            stepSlots.append(entry.slot)
            output.scheduled.append(table[entry.slot].request.scheduled(entry.chunk))
        }
        output.moves = cache.takeMoves()
    }

    func load(tokenBudget: Int) -> EngineLoad {
        EngineLoad(
            runningCount: running.count, waitingCount: waiting.count + heldCount,
            maxSequenceCount: limits.maxSequenceCount,
            tokenBudget: tokenBudget, maxBatchedTokenCount: limits.maxBatchedTokenCount,
            freeTokenCount: cache.freeBlockCount * cache.blockSize,
            capacityTokenCount: cache.blockCount * cache.blockSize)
    }

    /// Keeps a request out of the policy's lines.
    mutating func hold(_ slot: Slot) {
        table[slot].isHeld = true
        heldCount += 1
    }

    /// Lets one wait that was held.
    mutating func release(_ slot: Slot) {
        table[slot].isHeld = false
        heldCount -= 1
        enqueue(slot)
    }

    /// Lets a request wait where the policy wants it.
    mutating func enqueue(_ slot: Slot) {
        let view = table[slot].view
        table[slot].waitingSince = counters.admissionCount
        waiting.insert(slot, view, at: policy.place(view, at: clock))
    }
}
