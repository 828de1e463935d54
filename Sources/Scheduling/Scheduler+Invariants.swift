import KVCaching
import Requests

extension Scheduler {
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
            if cache.blockCount(forTokens: request.computedCount) > request.blocks.blocks.count {
                return "\(request.id) has computed tokens without blocks"
            }
        }
        for slot in waitingSlots {
            let request = table[slot].request
            if request.status == .running { return "\(request.id) waits as running" }
            if !request.blocks.blocks.isEmpty || (request.computedCount != 0 && !request.blocks.isSwappedOut) {
                return "\(request.id) waits and holds blocks"
            }
            if request.blocks.isSwappedOut,
                request.blocks.swappedBlocks.count != cache.blockCount(forTokens: request.computedCount)
            {
                return "\(request.id) has computed \(request.computedCount) tokens and swapped others"
            }
        }
        let swappedCount = waitingSlots.count { table[$0].request.blocks.isSwappedOut }
        if swappedCount != counters.swappedCount { return "\(swappedCount) are swapped, not \(counters.swappedCount)" }
        return cache.checkInvariants(tables: (running + waitingSlots).map { table[$0].request.blocks })
    }
}
