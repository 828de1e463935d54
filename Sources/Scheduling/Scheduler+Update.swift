import KVCaching
public import Requests

extension Scheduler {
    /// Takes in what a step produced: appends tokens, makes full blocks findable, ends requests and frees their
    /// blocks. Returns one entry for each scheduled request, in order. `now` is when the step was over; without it,
    /// policies hear of the moment it began.
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
            var entry = RequestProgress(
                id: id, token: result.results[index].token, logprobs: result.results[index].logprobs,
                promptLogprobs: result.results[index].promptLogprobs, finish: nil)
            if let slot = slot(ofEntry: index, id) {
                entry.finish = advance(slot, output.scheduled[index], result.results[index])
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

    private mutating func advance(
        _ slot: Slot, _ scheduled: ScheduledRequest, _ result: StepResult
    ) -> FinishReason? {
        let end = scheduled.firstPosition + scheduled.tokens.count
        let recomputed = max(0, min(end, table[slot].mostComputedCount) - scheduled.firstPosition)
        table[slot].mostComputedCount = max(end, table[slot].mostComputedCount)
        counters.recomputedTokenCount += recomputed
        let finish = table[slot].request.advance(by: scheduled, with: result, maxModelLength: limits.maxModelLength)
        cache.register(&table[slot].request)
        let computedCount = table[slot].request.computedCount
        cache.freeUnseen(&table[slot].request.blocks, computedCount: computedCount)
        if computedCount >= table[slot].request.promptCount { releaseFollowers(of: slot) }
        policy.progressed(
            table[slot].view,
            by: StepProgress(
                computedCount: scheduled.tokens.count, recomputedCount: recomputed,
                producedCount: result.token == nil ? 0 : 1),
            at: clock)
        return finish
    }
}
