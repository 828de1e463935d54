import KVCaching
import Requests

extension Scheduler {
    /// What came of trying to admit a request.
    private enum Admission { case done, noRoom, noBudget }

    /// What came of trying to take its blocks.
    enum Taking { case taken(Chunk), noRoom, noBudget }

    /// Admits waiting requests as the policy chooses them, until one does not fit: nobody overtakes that one.
    mutating func admitWaiting(_ output: inout SchedulerOutput, _ plan: inout StepPlan) {
        while !waiting.isEmpty, plan.budget.tokenCount > 0 {
            guard let slot = nextToAdmit(&output, &plan) else { return }
            var admission = admit(slot, &output, &plan)
            while admission == .noRoom, makesRoom(for: slot, &plan) { admission = admit(slot, &output, &plan) }
            guard admission == .done else { return }
        }
    }

    /// The policy's next choice, after those that it refuses; nil when nobody is to be admitted now.
    private mutating func nextToAdmit(_ output: inout SchedulerOutput, _ plan: inout StepPlan) -> Slot? {
        while let longest = waiting.longestWaiting {
            if isOvertakenTooOften(longest) {
                table[longest].isProtected = true
                return longest
            }
            let load = load(tokenBudget: plan.budget.tokenCount)
            switch policy.decide(among: candidates(), load: load, at: plan.now) {
            case .admit(let id): return waitingSlot(id, to: "admits") ?? longest
            case .later: return running.isEmpty ? longest : nil
            case .reject(let id, let reason):
                guard let slot = waitingSlot(id, to: "refuses") else { return longest }
                output.rejected.append(RejectedRequest(id: id, reason: reason))
                counters.rejectionCount += 1
                retire(slot, .rejected(reason))
            }
        }
        return nil
    }

    /// Where the request that the policy named waits; nil, and a failure of the policy, if it does not.
    private mutating func waitingSlot(_ id: RequestID, to verb: String) -> Slot? {
        if let slot = table.slot(of: id), waiting.contains(slot) { return slot }
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
                of: table[slot].request.tokens, salt: table[slot].request.cacheSalt)
        }
        return candidates
    }

    /// Preempts one running request for the sake of a waiting one, if the policy wants that.
    private mutating func makesRoom(for slot: Slot, _ plan: inout StepPlan) -> Bool {
        guard let victim = firstVictim(&plan),
            policy.preempts(table[slot].view, table[victim].view, at: plan.now)
        else { return false }
        preempt(victim, &plan)
        return true
    }

    /// Moves a waiting request to the running ones; nothing is changed where that is not possible.
    private mutating func admit(_ slot: Slot, _ output: inout SchedulerOutput, _ plan: inout StepPlan) -> Admission {
        guard running.count - plan.preempted.count < limits.maxSequenceCount else { return .noRoom }
        let chunk: Chunk
        switch takeBlocks(slot, plan.budget) {
        case .taken(let part): chunk = part
        case .noRoom: return .noRoom
        case .noBudget: return .noBudget
        }
        if !table[slot].request.wasAdmitted {
            output.admitted.append(AdmittedRequest(table[slot].request))
            table[slot].request.wasAdmitted = true
        }
        waiting.remove(slot, table[slot].request.id)
        running.append(slot)
        table[slot].request.status = .running
        table[slot].admissionStep = stepNumber
        table[slot].entry = plan.append(slot, chunk)
        counters.admissionCount += 1
        policy.admitted(table[slot].view, at: plan.now)
        return .done
    }

    /// Starts a request's block table with what the prefix cache holds and room for the first chunk.
    private mutating func takeBlocks(_ slot: Slot, _ budget: StepBudget) -> Taking {
        if table[slot].request.blocks.isSwappedOut { return takeBlocksBack(slot, budget) }
        if let taking = takeLeadersBlocks(slot, budget) { return taking }
        // Positions that must be scored have to be computed, cached or not.
        let isScoring = table[slot].request.isScoring
        let tokens = isScoring ? [] : table[slot].request.tokens
        var blocks = BlockTable()
        let request = table[slot].request
        var chunk: Chunk?
        let cachedCount = cache.begin(&blocks, tokens: tokens, salt: request.cacheSalt) {
            chunk = request.chunk(after: $0, within: budget)
            return chunk?.tokenCount
        }
        guard let chunk else { return .noBudget }
        guard let cachedCount else { return .noRoom }
        table[slot].request.blocks = blocks
        table[slot].request.computedCount = cachedCount
        table[slot].request.cachedCount = cachedCount
        counters.prefixQueryCount += tokens.count
        counters.prefixHitCount += cachedCount
        return .taken(chunk)
    }
}

extension AdmittedRequest {
    init(_ request: Request) {
        self.init(id: request.id, prompt: Array(request.tokens.prefix(request.promptCount)), sampling: request.sampling)
    }
}
