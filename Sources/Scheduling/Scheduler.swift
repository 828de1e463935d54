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
/// It always makes progress: some request runs whenever one waits; the first of the running requests is computed in
/// every step and, once a policy has used up its preemptions, is never preempted again; and any request fits into
/// the cache alone. So requests keep finishing, whatever the policy answers. `AdapterSlots` has the rule of adapters.
public struct Scheduler: ~Copyable, Sendable {
    typealias Slot = RequestTable.Slot

    public let limits: SchedulerLimits
    var cache: KVCacheManager
    var policy: GuardedPolicy
    var table = RequestTable()
    /// In order of admission.
    var running: [Slot] = []
    var waiting = WaitingQueue()
    var adapters: AdapterSlots
    /// Requests that wait for their leader's prompt, outside of the policy's queues.
    var heldCount = 0
    /// Requests in flight whose prompts are scored.
    var scoredRequestCount = 0
    var finishedIDs: [RequestID] = []
    var counters = SchedulerStatistics()
    var stepNumber = 0
    /// The slots of the last step's requests, in its order.
    var stepSlots: [Slot] = []
    /// The latest moment that a caller has named.
    var clock = EngineInstant(nanoseconds: 0)
    /// How long computing tokens and moving blocks take.
    var speeds: SpeedMeter
    /// When the last step began.
    var stepStart = EngineInstant(nanoseconds: 0)

    /// A scheduler over `cache`. Precondition: a sequence of `maxModelLength` tokens fits into the cache alone, computed in
    /// chunks of up to `maxBatchedTokenCount`, so that every request that is taken can finish. Without `speeds`, what preemptions cost is measured.
    public init(
        limits: SchedulerLimits, cache: consuming KVCacheManager, policy: any SchedulerPolicy,
        speeds: PreemptionSpeeds? = nil
    ) {
        precondition(
            cache.maximumBlockCount(
                forTokens: limits.maxModelLength, chunkTokenCount: limits.maxBatchedTokenCount) <= cache.blockCount,
            "\(limits.maxModelLength) tokens do not fit into \(cache.blockCount) blocks")
        self.limits = limits
        self.cache = cache
        self.policy = GuardedPolicy(policy)
        self.speeds = SpeedMeter(given: speeds)
        adapters = AdapterSlots(count: limits.adapterSlotCount, maxWaitCount: limits.maxAdapterWaitCount)
    }

    /// Whether no request is left.
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
        statistics.swappedPrefixHitCount = moves.swappedHitTokens
        if adapters.count > 0 {
            statistics.runningAdapters = adapters.runningAdapters
            statistics.waitingAdapters = adapters.waitingAdapters
        }
        return statistics
    }

    // MARK: A step

    /// The next step's work: every running request's next tokens, then as many waiting requests as fit.
    public mutating func schedule(at now: EngineInstant) -> SchedulerOutput {
        clock = max(clock, now)
        stepNumber += 1
        stepStart = clock
        var output = SchedulerOutput()
        swap(&output.finished, &finishedIDs)
        guard !isIdle else { return output }
        adapters.beginStep(stepNumber)
        let load = load(tokenBudget: limits.maxBatchedTokenCount)
        var plan = StepPlan(limits, share: policy.share(of: load, at: clock), at: clock)
        continueRunning(&plan)
        if plan.preempted.isEmpty {
            plan.beginAdmitting()
            admitWaiting(&output, &plan)
        }
        // A running request may have had the whole budget and then have been preempted for a waiting one that found no
        // room after all.
        if plan.isEmpty { continueRunning(&plan) }
        finish(plan, &output)
        return output
    }

    /// Turns the plan into plain data, and puts the preempted requests into their queues.
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
            let adapterSlot = table[entry.slot].request.attributes.adapter.flatMap { adapters.slot(of: $0) }
            output.scheduled.append(
                ScheduledRequest(table[entry.slot].request, entry.chunk, adapterSlot: adapterSlot))
        }
        output.moves = cache.takeMoves()
        output.adapterLoads = adapters.takeLoads()
        counters.adapterLoadCount += output.adapterLoads.count
    }

    private func load(tokenBudget: Int) -> EngineLoad {
        EngineLoad(
            runningCount: running.count, waitingCount: waiting.count + heldCount,
            maxSequenceCount: limits.maxSequenceCount,
            tokenBudget: tokenBudget, maxBatchedTokenCount: limits.maxBatchedTokenCount,
            freeTokenCount: cache.freeTokenCount, capacityTokenCount: cache.capacityTokenCount)
    }

    // MARK: Running requests

    /// Plans the next tokens of each running request, in order; where blocks are missing, a victim is preempted.
    private mutating func continueRunning(_ plan: inout StepPlan) {
        if scoredRequestCount > 0 {
            plan.budget.scorerCount = running.count { table.isRunning($0) && table[$0].request.isScoring }
        }
        for slot in running {
            guard table.isRunning(slot) else { continue }
            let isScoring = plan.budget.scorerCount > 0 && table[slot].request.isScoring
            defer { plan.budget.scorerCount -= isScoring ? 1 : 0 }
            let computedCount = table[slot].request.computedCount
            guard let chunk = plan.budget.chunk(of: table[slot].request, after: computedCount) else { continue }
            var hasRoom = true
            while hasRoom, !cache.extend(&table[slot].request.blocks, toTokens: computedCount + chunk.tokenCount) {
                let victim = chooseVictim(&plan)
                preempt(victim, &plan)
                hasRoom = victim != slot
            }
            if hasRoom { table[slot].entry = plan.append(slot, chunk) }
        }
    }

    // MARK: Waiting requests

    /// Admits waiting requests as the policy chooses them, until one does not fit: none is admitted before that one.
    private mutating func admitWaiting(_ output: inout SchedulerOutput, _ plan: inout StepPlan) {
        while !waiting.isEmpty, plan.budget.tokenCount > 0 {
            guard let slot = nextToAdmit(&output, &plan) else { return }
            var admission = admit(slot, &output, &plan)
            while admission == .noRoom, preemptsForAdmission(of: slot, &plan) {
                admission = admit(slot, &output, &plan)
            }
            guard admission == .admitted else { return }
        }
    }

    /// The policy's next choice, after those that it refuses or whose adapter finds no slot; nil when no request is to be
    /// admitted now.
    private mutating func nextToAdmit(_ output: inout SchedulerOutput, _ plan: inout StepPlan) -> Slot? {
        while let longest = waiting.longestWaiting {
            if let slot = firstOfClaimant() { return slot }
            unparkAdmissible()
            if isOvertakenTooOften(longest), !passesOver(longest) {
                table[longest].isProtected = true
                return longest
            }
            guard waiting.hasCandidates else { return nil }
            let load = load(tokenBudget: plan.budget.tokenCount)
            switch policy.decide(among: candidates(), load: load, at: plan.now) {
            case .admit(let id):
                let slot = waitingSlot(id, to: "admits") ?? longest
                guard !waiting.isParked(slot) else { return nil }
                if !passesOver(slot) { return slot }
            case .later:
                guard running.isEmpty, !passesOver(longest) else { return nil }
                return longest
            case .reject(let id, let reason):
                guard let slot = waitingSlot(id, to: "refuses") else { return longest }
                output.rejected.append(RejectedRequest(id: id, reason: reason))
                counters.rejectionCount += 1
                retire(slot, .rejected(reason))
            }
        }
        return nil
    }

    /// The request that a claim admits next, whatever the policy says.
    private mutating func firstOfClaimant() -> Slot? {
        guard let claimant = adapters.claimant else { return nil }
        guard let slot = waiting.first(where: { [table] in table[$0].request.attributes.adapter == claimant }) else {
            adapters.endClaim()
            return nil
        }
        table[slot].isProtected = true
        return slot
    }

    /// Whether the adapter of a chosen request finds no slot. The policy is not asked about that request again before a
    /// slot changes.
    private mutating func passesOver(_ slot: Slot) -> Bool {
        guard let adapter = table[slot].request.attributes.adapter, !adapters.canAdmit(adapter) else { return false }
        adapters.passedOver(adapter, step: stepNumber)
        if !waiting.isParked(slot) { waiting.park(slot, table[slot].request.id) }
        return true
    }

    private mutating func unparkAdmissible() {
        guard adapters.hasChanged else { return }
        adapters.takeChange()
        waiting.unpark { [table, adapters] in
            table[$0].request.attributes.adapter.map { adapters.canAdmit($0) } ?? true
        } view: { [table] in
            table[$0].view
        }
    }

    /// The slot of the request that the policy named; nil, and a failure of the policy, if it does not wait.
    private mutating func waitingSlot(_ id: RequestID, to verb: String) -> Slot? {
        if let slot = table.slot(of: id), waiting.contains(slot), !waiting.isParked(slot) { return slot }
        policy.note(.decide, "\(verb) \(id), which does not wait")
        return nil
    }

    private func isOvertakenTooOften(_ slot: Slot) -> Bool {
        counters.admissionCount % SchedulerLimits.overtakingInterval == 0
            && counters.admissionCount - table[slot].waitingSince > limits.maxOvertakingCount
    }

    private mutating func candidates() -> [AdmissionCandidate] {
        let lookahead = min(policy.lookahead(), SchedulerLimits.maxLookahead)
        var candidates = waiting.candidates(lookahead: lookahead) { [table] in table[$0].view }
        guard policy.wantsCachedCounts() else { return candidates }
        for index in candidates.indices {
            guard let slot = table.slot(of: candidates[index].request.id) else { continue }
            candidates[index].request.cachedCount = cache.cachedPrefixCount(
                of: table[slot].request.tokens, salt: table[slot].request.prefixSalt)
        }
        return candidates
    }

    /// The result of an attempt to admit a request.
    private enum Admission { case admitted, noRoom, noBudget }

    /// Moves a waiting request to the running ones; nothing is changed where that is not possible.
    private mutating func admit(_ slot: Slot, _ output: inout SchedulerOutput, _ plan: inout StepPlan) -> Admission {
        guard running.count - plan.preempted.count < limits.maxSequenceCount else { return .noRoom }
        let chunk: Chunk
        switch allocateBlocks(slot, plan.budget) {
        case .allocated(let part): chunk = part
        case .noRoom: return .noRoom
        case .noBudget: return .noBudget
        }
        if !table[slot].request.wasAdmitted {
            output.admitted.append(AdmittedRequest(table[slot].request))
            table[slot].request.wasAdmitted = true
        }
        waiting.remove(slot, table[slot].request.id)
        if let adapter = table[slot].request.attributes.adapter { adapters.admitted(adapter) }
        running.append(slot)
        table[slot].request.status = .running
        table[slot].admissionStep = stepNumber
        table[slot].entry = plan.append(slot, chunk)
        counters.admissionCount += 1
        policy.admitted(table[slot].view, at: plan.now)
        return .admitted
    }
}

extension AdmittedRequest {
    fileprivate init(_ request: Request) {
        self.init(
            id: request.id, prompt: Array(request.tokens.prefix(request.promptCount)),
            sampling: request.attributes.sampling)
    }
}
