import KVCaching
import Requests

/// Several choices of one prompt: the first computes it, the others begin with its blocks.
///
/// They part with the prompt's last token, which each computes again, as its logits choose the next one. The block that
/// it lies in is copied, unless it is the first in it: so nothing is ever written that another request reads.
extension Scheduler {
    /// The request whose prompt `request` is to share, while that prompt is not computed and sharing is possible; or whose
    /// prompt is scored, as scores come before all that is generated.
    func leaderToWaitFor(_ request: Request) -> Slot? {
        guard request.sampling.promptLogprobs == nil, let id = request.leader, id != request.id,
            let leader = table.slot(of: id), table[leader].request.computedCount < request.promptCount
        else { return nil }
        let shares = cache.isPrefixCachingEnabled && request.promptCount > cache.blockSize
        return shares || table[leader].request.isScoring ? leader : nil
    }

    /// Starts the table of a request with that of the one whose prompt it shares, while that one runs; nil where there is
    /// no such thing any more, and the prefix cache has to do.
    mutating func takeLeadersBlocks(_ slot: Slot, _ budget: StepBudget) -> Taking? {
        let request = table[slot].request
        guard cache.isPrefixCachingEnabled, !request.wasAdmitted, request.promptCount > cache.blockSize,
            request.sampling.promptLogprobs == nil, let id = request.leader, id != request.id,
            let leader = table.slot(of: id), table.isRunning(leader),
            table[leader].request.computedCount >= request.promptCount,
            table[leader].request.cacheSalt == request.cacheSalt,
            table[leader].request.tokens.prefix(request.promptCount).elementsEqual(request.tokens)
        else { return nil }
        let sharedCount = request.promptCount - 1
        guard let chunk = request.chunk(after: sharedCount, within: budget) else { return .noBudget }
        var blocks = BlockTable()
        guard
            let hasRoom = cache.fork(
                &blocks, from: table[leader].request.blocks, tokens: request.tokens, salt: request.cacheSalt,
                roomFor: chunk.tokenCount)
        else { return nil }
        guard hasRoom else { return .noRoom }
        table[slot].request.blocks = blocks
        table[slot].request.computedCount = sharedCount
        table[slot].request.cachedCount = sharedCount
        counters.prefixQueryCount += request.promptCount
        counters.prefixHitCount += sharedCount
        return .taken(chunk)
    }

    /// Lets those wait in the policy's lines that waited for the prompt of `slot`.
    mutating func releaseFollowers(of slot: Slot) {
        guard !table[slot].followers.isEmpty else { return }
        let followers = table[slot].followers
        table[slot].followers = []
        for id in followers {
            guard let follower = table.slot(of: id), table[follower].isHeld else { continue }
            release(follower)
        }
    }
}
