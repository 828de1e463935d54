import KVCaching
import Requests

/// How requests get blocks when they are admitted, and give them back when they are preempted.
extension Scheduler {
    /// The result of an attempt to allocate a request's blocks.
    enum Allocation { case allocated(Chunk), noRoom, noBudget }

    // MARK: Allocation at admission

    /// Allocates blocks for what is computed of a waiting request and for its next chunk: from the swap space where it was
    /// swapped out, else shared with its leader, else with the prefix cache.
    mutating func allocateBlocks(_ slot: Slot, _ budget: StepBudget) -> Allocation {
        if table[slot].request.blocks.isSwappedOut { return swapBlocksIn(slot, budget) }
        return forkBlocksOfLeader(slot, budget) ?? allocateAfterCachedPrefix(slot, budget)
    }

    /// Brings the blocks of a swapped request back, with room for its next chunk.
    private mutating func swapBlocksIn(_ slot: Slot, _ budget: StepBudget) -> Allocation {
        let computedCount = table[slot].request.computedCount
        guard let chunk = budget.chunk(of: table[slot].request, after: computedCount) else { return .noBudget }
        guard cache.swapIn(&table[slot].request.blocks, tokenCount: computedCount, roomFor: chunk.tokenCount)
        else { return .noRoom }
        counters.swappedCount -= 1
        return .allocated(chunk)
    }

    /// Shares the blocks of the leader, whose prompt is the same, while the leader runs. Nil where that is no longer
    /// possible.
    ///
    /// The two sequences part with the prompt's last token, which each computes again, as its logits choose the next
    /// one. The block of that token is copied unless the token is the first in it, so no request ever writes a block that
    /// another one reads.
    private mutating func forkBlocksOfLeader(_ slot: Slot, _ budget: StepBudget) -> Allocation? {
        let request = table[slot].request
        guard cache.isPrefixCachingEnabled, !request.wasAdmitted, request.promptCount > cache.blockSize,
            request.attributes.sampling.promptLogprobs == nil, let id = request.leader, id != request.id,
            let leader = table.slot(of: id), table.isRunning(leader),
            table[leader].request.computedCount >= request.promptCount,
            table[leader].request.prefixSalt == request.prefixSalt,
            table[leader].request.tokens.prefix(request.promptCount).elementsEqual(request.tokens)
        else { return nil }
        let sharedCount = request.promptCount - 1
        guard let chunk = budget.chunk(of: request, after: sharedCount) else { return .noBudget }
        var blocks = BlockTable()
        guard
            let hasRoom = cache.fork(
                &blocks, from: table[leader].request.blocks, tokens: request.tokens, roomFor: chunk.tokenCount)
        else { return nil }
        guard hasRoom else { return .noRoom }
        begin(slot, with: blocks, cachedCount: sharedCount, queriedCount: request.promptCount)
        return .allocated(chunk)
    }

    /// Shares the blocks that the prefix cache holds of the request's tokens, and allocates the others.
    private mutating func allocateAfterCachedPrefix(_ slot: Slot, _ budget: StepBudget) -> Allocation {
        // Positions that must be scored have to be computed, cached or not.
        let isScoring = table[slot].request.isScoring
        let tokens = isScoring ? [] : table[slot].request.tokens
        var blocks = BlockTable()
        let request = table[slot].request
        var chunk: Chunk?
        let cachedCount = cache.begin(&blocks, tokens: tokens, salt: request.prefixSalt) {
            chunk = budget.chunk(of: request, after: $0)
            return chunk?.tokenCount
        }
        guard let chunk else { return .noBudget }
        guard let cachedCount else { return .noRoom }
        begin(slot, with: blocks, cachedCount: cachedCount, queriedCount: tokens.count)
        return .allocated(chunk)
    }

    private mutating func begin(_ slot: Slot, with blocks: BlockTable, cachedCount: Int, queriedCount: Int) {
        table[slot].request.blocks = blocks
        table[slot].request.computedCount = cachedCount
        table[slot].request.cachedCount = cachedCount
        counters.prefixQueryCount += queriedCount
        counters.prefixHitCount += cachedCount
    }

    // MARK: Victims

    /// The running request to preempt: the policy's choice among those that it may still choose, else the one admitted
    /// last.
    mutating func chooseVictim(_ plan: inout StepPlan) -> Slot {
        if let victim = firstVictim(&plan) { return victim }
        guard let last = running.last(where: { table.isRunning($0) }) else {
            preconditionFailure("the requester itself runs")
        }
        return last
    }

    /// The policy's first choice of a victim, if it has one left.
    private mutating func firstVictim(_ plan: inout StepPlan) -> Slot? {
        if plan.victims == nil {
            // A request admitted in this very step has made no progress that the policy could rank it by.
            let candidates = running.filter { table[$0].admissionStep != stepNumber }
            plan.victims = VictimQueue(candidates, in: table, policy: &policy, limits: limits, at: plan.now)
        }
        return plan.victims?.first(in: table)
    }

    /// Preempts one running request for a waiting one, if the policy says so.
    mutating func preemptsForAdmission(of slot: Slot, _ plan: inout StepPlan) -> Bool {
        guard let victim = firstVictim(&plan),
            policy.preempts(table[slot].view, table[victim].view, at: plan.now)
        else { return false }
        preempt(victim, &plan)
        return true
    }

    // MARK: Preemption

    /// Takes the blocks of a running request: their content is dropped, or moves to the swap space. The request waits
    /// again once the step is handed out.
    mutating func preempt(_ slot: Slot, _ plan: inout StepPlan) {
        if let entry = table[slot].entry { plan.withdraw(entry) }
        table[slot].entry = nil
        let tokenCount = table[slot].request.computedCount
        if prefersSwap(slot, at: plan.now), cache.swapOut(&table[slot].request.blocks, tokenCount: tokenCount) {
            counters.swapOutCount += 1
            counters.swappedOutTokenCount += tokenCount
            counters.swappedCount += 1
        } else {
            dropBlocks(slot)
        }
        markPreempted(slot)
        plan.preempted.append(slot)
    }

    /// Whether the policy, or the comparison of costs, says that the computed tokens move to the swap space.
    private mutating func prefersSwap(_ slot: Slot, at now: EngineInstant) -> Bool {
        let request = table[slot].request
        guard cache.swapBlockCount > 0, request.computedCount > 0 else { return false }
        let outCount = cache.moveCount(of: request.blocks, tokenCount: request.computedCount)
        let costs = speeds.costs(
            tokenCount: request.computedCount,
            moveCount: outCount + cache.keptBlockCount(of: request.blocks, tokenCount: request.computedCount),
            budget: limits.maxBatchedTokenCount)
        switch policy.preemptionMode(of: table[slot].view, costs: costs, at: now) {
        case .recompute: return false
        case .swap: return true
        case .cheaper: return speeds.prefersSwap(costs)
        }
    }

    /// Drops what a request has computed, in either pool.
    mutating func dropBlocks(_ slot: Slot) {
        if table[slot].request.blocks.isSwappedOut { counters.swappedCount -= 1 }
        cache.free(&table[slot].request.blocks)
        table[slot].request.computedCount = 0
    }

    mutating func markPreempted(_ slot: Slot) {
        table[slot].request.preemptionCount += 1
        table[slot].request.status = .preempted
        if let adapter = table[slot].request.attributes.adapter {
            adapters.stopped(adapter)
            adapters.waits(adapter)
        }
        counters.preemptionCount += 1
    }
}
