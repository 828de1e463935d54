import KVCaching
public import Requests

/// What a step changed for one request.
public struct RequestProgress: Sendable {
    public let id: RequestID
    /// What the step produced. Tokens after the one that ended the request are dropped.
    public internal(set) var result: StepResult
    /// Tokens that the request has produced, those of this step included.
    public internal(set) var outputCount = 0
    /// Why the request ended, if it did.
    public internal(set) var finish: FinishReason?
}

/// How requests arrive, go forward and leave.
extension Scheduler {
    // MARK: Arrival

    /// Lets `request` wait. Precondition: prompt and at least one token more (none for `maxTokens` 0) fit into
    /// `maxModelLength`; the caller has refused longer ones. There are slots for adapters if it has one.
    public mutating func add(_ request: Request) {
        precondition(
            request.promptCount + min(1, request.attributes.sampling.maxTokens) <= limits.maxModelLength,
            "\(request.id) is too long")
        precondition(request.attributes.adapter == nil || adapters.count > 0, "\(request.id) has an adapter")
        clock = max(clock, request.arrival)
        let slot = table.insert(request)
        if request.attributes.sampling.promptLogprobs != nil { scoredRequestCount += 1 }
        if let adapter = request.attributes.adapter { adapters.waits(adapter) }
        policy.arrived(table[slot].view, at: clock)
        if let leader = leaderToWaitFor(request) {
            table[leader].followers.append(request.id)
            table[slot].isHeld = true
            heldCount += 1
        } else {
            enqueue(slot)
        }
    }

    /// The request whose prompt `request` is to share, while that prompt is not computed and sharing is possible; or whose
    /// prompt is scored, as scores come before all that is generated.
    private func leaderToWaitFor(_ request: Request) -> Slot? {
        guard request.attributes.sampling.promptLogprobs == nil, let id = request.leader, id != request.id,
            let leader = table.slot(of: id), table[leader].request.computedCount < request.promptCount
        else { return nil }
        let shares = cache.isPrefixCachingEnabled && request.promptCount > cache.blockSize
        return shares || table[leader].request.isScoring ? leader : nil
    }

    /// Puts the requests that wait for the prompt of `slot` into the policy's queues.
    private mutating func releaseFollowers(of slot: Slot) {
        guard !table[slot].followers.isEmpty else { return }
        let followers = table[slot].followers
        table[slot].followers = []
        for id in followers {
            guard let follower = table.slot(of: id), table[follower].isHeld else { continue }
            table[follower].isHeld = false
            heldCount -= 1
            enqueue(follower)
        }
    }

    /// Puts a request into the queue that the policy chooses.
    mutating func enqueue(_ slot: Slot) {
        let view = table[slot].view
        table[slot].waitingSince = counters.admissionCount
        waiting.insert(slot, view, at: policy.queuePosition(of: view, at: clock))
    }

    // MARK: Progress

    /// Takes in what a step produced: appends tokens, makes full blocks findable, ends requests and frees their
    /// blocks. Returns one entry for each scheduled request, in order. `now` is when the step was over; without it,
    /// policies are given the moment it began.
    public mutating func update(
        _ output: SchedulerOutput, with result: ModelRunnerOutput, at now: EngineInstant? = nil
    ) -> [RequestProgress] {
        precondition(result.results.count == output.scheduled.count, "one result for each scheduled request")
        clock = max(clock, now ?? clock)
        speeds.learn(
            tokenCount: output.tokenCount, moveCount: output.moves.count, moveSeconds: result.moveSeconds,
            from: stepStart, to: clock)
        var progress: [RequestProgress] = []
        progress.reserveCapacity(output.scheduled.count)
        var hasEnded = false
        for index in output.scheduled.indices {
            let id = output.scheduled[index].id
            var entry = RequestProgress(id: id, result: result.results[index])
            if let slot = slot(ofEntry: index, id) {
                advance(slot, output.scheduled[index], &entry)
                if let finish = entry.finish {
                    hasEnded = true
                    retire(slot, finish)
                }
            }
            progress.append(entry)
        }
        if hasEnded { running.removeAll { [table] in !table.isRunning($0) } }
        return progress
    }

    private func slot(ofEntry index: Int, _ id: RequestID) -> Slot? {
        if index < stepSlots.count, table.holds(id, at: stepSlots[index]) { return stepSlots[index] }
        return table.slot(of: id)
    }

    private mutating func advance(_ slot: Slot, _ scheduled: ScheduledRequest, _ entry: inout RequestProgress) {
        let end = scheduled.firstPosition + scheduled.tokens.count
        let recomputed = max(0, min(end, table[slot].maximumComputedCount) - scheduled.firstPosition)
        table[slot].maximumComputedCount = max(end, table[slot].maximumComputedCount)
        counters.recomputedTokenCount += recomputed
        let (appendedCount, finish) = table[slot].request.advance(
            by: scheduled, producing: entry.result.tokens, maxModelLength: limits.maxModelLength)
        entry.result.keepTokens(appendedCount)
        entry.outputCount = table[slot].request.outputCount
        entry.finish = finish
        cache.register(&table[slot].request)
        let computedCount = table[slot].request.computedCount
        cache.freeUnseen(&table[slot].request.blocks, computedCount: computedCount)
        if computedCount >= table[slot].request.promptCount { releaseFollowers(of: slot) }
        policy.progressed(
            table[slot].view,
            by: StepProgress(
                computedCount: scheduled.tokens.count, recomputedCount: recomputed, producedCount: appendedCount),
            at: clock)
    }

    // MARK: End

    /// Drops a request and frees its blocks at once. Returns false for one that has already ended.
    public mutating func abort(_ id: RequestID) -> Bool { end(id, .abort) }

    /// Ends a request for a `reason` that the scheduler cannot see, such as a stop string in its text. Frees its blocks at
    /// once. Returns false for one that has already ended.
    public mutating func end(_ id: RequestID, _ reason: FinishReason) -> Bool {
        guard let slot = table.slot(of: id) else { return false }
        if let index = running.firstIndex(of: slot) { running.remove(at: index) }
        retire(slot, reason)
        return true
    }

    /// Drops the requests of a step that the device failed to run, and forgets what the cache held.
    /// Returns their ids. Other requests lose nothing but computed tokens.
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
        adapters.forgetAll()
        return failed
    }

    /// Ends a request. The caller takes it out of `running`.
    mutating func retire(_ slot: Slot, _ reason: FinishReason) {
        waiting.remove(slot, table[slot].request.id)
        if table[slot].isHeld { heldCount -= 1 }
        if table[slot].request.attributes.sampling.promptLogprobs != nil { scoredRequestCount -= 1 }
        releaseFollowers(of: slot)
        if let adapter = table[slot].request.attributes.adapter {
            if table.isRunning(slot) { adapters.stopped(adapter) } else { adapters.endsWaiting(adapter) }
        }
        if table[slot].request.blocks.isSwappedOut { counters.swappedCount -= 1 }
        cache.free(&table[slot].request.blocks)
        // The executor keeps something only for requests that it has seen.
        if table[slot].request.wasAdmitted { finishedIDs.append(table[slot].request.id) }
        policy.ended(table[slot].view, reason, at: clock)
        table.remove(slot)
    }

    // MARK: Adapters

    /// Whether any request of `adapter` waits or runs.
    public func isInUse(_ adapter: AdapterID) -> Bool { adapters.isInUse(adapter) }

    /// Forgets `adapter`, which will not come again. Precondition: it is not in use.
    public mutating func forget(_ adapter: AdapterID) { adapters.forget(adapter) }

    // MARK: Invariants

    /// The first broken invariant, in words; nil when all hold. For tests.
    public func checkInvariants() -> String? {
        if running.count > limits.maxSequenceCount { return "\(running.count) requests run" }
        let waitingSlots = waiting.slots
        if waitingSlots.count != waiting.count { return "\(waiting.count) wait, but \(waitingSlots.count) are listed" }
        if Set(running).count != running.count { return "a request runs twice" }
        if !Set(running).isDisjoint(with: waitingSlots) { return "a request runs and waits" }
        if running.count + waiting.count + heldCount != table.count {
            return "\(running.count) run, \(waiting.count) wait and \(heldCount) are held of \(table.count) requests"
        }
        for slot in running {
            let request = table[slot].request
            if request.status != .running { return "\(request.id) runs as \(request.status)" }
            if request.remainingCount < 0 { return "\(request.id) computed more tokens than it has" }
            if !cache.holds(request.blocks, tokenCount: request.computedCount) {
                return "\(request.id) has computed tokens without blocks"
            }
        }
        for slot in waitingSlots {
            let request = table[slot].request
            if request.status == .running { return "\(request.id) waits as running" }
            if !request.blocks.blocks.isEmpty || (request.computedCount != 0 && !request.blocks.isSwappedOut) {
                return "\(request.id) waits and holds blocks"
            }
            if request.blocks.isSwappedOut, !cache.holds(request.blocks, tokenCount: request.computedCount) {
                return "\(request.id) has computed \(request.computedCount) tokens and swapped others"
            }
        }
        func adapters(of slots: [Slot]) -> [AdapterID] { slots.compactMap { table[$0].request.attributes.adapter } }
        let waitingOrHeld = table.slotsInUse.filter { !table.isRunning($0) }
        if let broken = self.adapters.checkInvariants(
            running: adapters(of: running), waiting: adapters(of: waitingOrHeld))
        {
            return broken
        }
        let swappedCount = waitingSlots.count { table[$0].request.blocks.isSwappedOut }
        if swappedCount != counters.swappedCount { return "\(swappedCount) are swapped, not \(counters.swappedCount)" }
        return cache.checkInvariants(tables: (running + waitingSlots).map { table[$0].request.blocks })
    }
}

extension KVCacheManager {
    /// Makes the blocks that `request` has filled findable.
    fileprivate mutating func register(_ request: inout Request) {
        register(
            &request.blocks, tokens: request.tokens, computedCount: request.computedCount,
            salt: request.prefixSalt)
    }
}
