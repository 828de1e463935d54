import KVCaching
import Requests

/// A running request gives its blocks back: what they hold is dropped, or moves to the swap space.
extension Scheduler {
    /// Takes the blocks of a running request back; it waits again from the step's end on.
    mutating func preempt(_ slot: Slot, _ plan: inout StepPlan) {
        if let entry = table[slot].entry { plan.withdraw(entry) }
        table[slot].entry = nil
        let tokenCount = table[slot].request.computedCount
        if wantsSwap(slot, at: plan.now), cache.swapOut(&table[slot].request.blocks, tokenCount: tokenCount) {
            counters.swapOutCount += 1
            counters.swappedOutTokenCount += tokenCount
            counters.swappedCount += 1
        } else {
            dropBlocks(slot)
        }
        markPreempted(slot)
        plan.preempted.append(slot)
    }

    /// Whether the policy, or the cheaper way, is to move what the request has computed.
    private mutating func wantsSwap(_ slot: Slot, at now: EngineInstant) -> Bool {
        let request = table[slot].request
        guard cache.swapBlockCount > 0, request.computedCount > 0 else { return false }
        let outCount = cache.moveCount(of: request.blocks, tokenCount: request.computedCount)
        let costs = speeds.costs(
            tokenCount: request.computedCount,
            moveCount: outCount + cache.blockCount(forTokens: request.computedCount),
            budget: limits.maxBatchedTokenCount)
        switch policy.preemptionMode(of: table[slot].view, costs: costs, at: now) {
        case .recompute: return false
        case .swap: return true
        case .cheaper: return speeds.prefersSwap(costs)
        }
    }

    /// Brings a request that waits in the swap space back, with room for its next chunk.
    mutating func takeBlocksBack(_ slot: Slot, _ budget: StepBudget) -> Taking {
        let computedCount = table[slot].request.computedCount
        guard let chunk = table[slot].request.chunk(after: computedCount, within: budget) else { return .noBudget }
        guard
            cache.swapIn(
                &table[slot].request.blocks, tokenCount: computedCount, roomFor: chunk.tokenCount)
        else { return .noRoom }
        counters.swappedCount -= 1
        return .taken(chunk)
    }

    /// Drops what a request has computed, wherever it lies.
    mutating func dropBlocks(_ slot: Slot) {
        if table[slot].request.blocks.isSwappedOut { counters.swappedCount -= 1 }
        cache.free(&table[slot].request.blocks)
        table[slot].request.computedCount = 0
    }

    mutating func markPreempted(_ slot: Slot) {
        table[slot].request.preemptionCount += 1
        table[slot].request.status = .preempted
        counters.preemptionCount += 1
    }
}
