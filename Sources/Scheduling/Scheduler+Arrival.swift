import KVCaching
public import Requests

extension Scheduler {
    /// Lets `request` wait. Precondition: prompt and at least one token more (none for `maxTokens` 0) fit into
    /// `maxModelLength`; whoever submits has refused longer ones.
    public mutating func add(_ request: Request) {
        precondition(
            request.promptCount + min(1, request.sampling.maxTokens) <= limits.maxModelLength,
            "\(request.id) is too long")
        clock = max(clock, request.arrival)
        let slot = table.insert(request)
        if request.sampling.promptLogprobs != nil { scoredRequestCount += 1 }
        policy.arrived(table[slot].view, at: clock)
        if let leader = leaderToWaitFor(request) {
            table[leader].followers.append(request.id)
            hold(slot)
        } else {
            enqueue(slot)
        }
    }

    /// Drops a request and frees its blocks at once. Returns false for one that has already ended.
    public mutating func abort(_ id: RequestID) -> Bool { end(id, .abort) }

    /// The same for one that has ended for `reason`, of which the scheduler does not know: its text has come to a stop
    /// string.
    public mutating func end(_ id: RequestID, _ reason: FinishReason) -> Bool {
        guard let slot = table.slot(of: id) else { return false }
        if let index = running.firstIndex(of: slot) { running.remove(at: index) }
        retire(slot, reason)
        return true
    }

    /// Drops the requests of a step that the device failed to run, and forgets what the cache held.
    /// Returns their names. Other requests lose nothing but computed tokens.
    public mutating func failStep(_ output: SchedulerOutput) -> [RequestID] {
        let failed = output.scheduled.map(\.id)
        for id in failed {
            guard let slot = table.slot(of: id) else { continue }
            retire(slot, .failure("the device failed"))
        }
        let left = running.filter { table.isRunning($0) }
        running.removeAll(keepingCapacity: true)
        for slot in left {
            dropBlocks(slot)
            markPreempted(slot)
            enqueue(slot)
        }
        // Whether the step's moves were made is not known, nor whether the swap space is still there.
        for slot in waiting.slots where table[slot].request.blocks.isSwappedOut { dropBlocks(slot) }
        cache.forgetPrefixes()
        return failed
    }

    /// Ends a request. Whoever calls takes it out of `running`.
    mutating func retire(_ slot: Slot, _ reason: FinishReason) {
        waiting.remove(slot, table[slot].request.id)
        if table[slot].isHeld { heldCount -= 1 }
        if table[slot].request.sampling.promptLogprobs != nil { scoredRequestCount -= 1 }
        releaseFollowers(of: slot)
        if table[slot].request.blocks.isSwappedOut { counters.swappedCount -= 1 }
        cache.free(&table[slot].request.blocks)
        // The executor keeps something only for requests that it has seen.
        if table[slot].request.wasAdmitted { finishedIDs.append(table[slot].request.id) }
        policy.ended(table[slot].view, reason, at: clock)
        table.remove(slot)
    }
}

extension KVCacheManager {
    /// Makes the blocks that `request` has filled findable.
    mutating func register(_ request: inout Request) {
        register(
            &request.blocks, tokens: request.tokens, computedCount: request.computedCount, salt: request.cacheSalt)
    }
}
