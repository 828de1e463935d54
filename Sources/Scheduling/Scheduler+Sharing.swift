import KVCaching
import Requests

/// Several choices of one prompt: the first computes it, the others begin with its blocks.
///
/// They part within the first block that is not full, so each has that block to itself and computes its part of the
/// prompt again: fewer tokens than a block has, and nothing is ever written that another request reads.
extension Scheduler {
    /// The request whose prompt `request` is to share, while that prompt is not computed and sharing is possible.
    func leaderToWaitFor(_ request: Request) -> Slot? {
        guard cache.isPrefixCachingEnabled, request.promptCount > cache.blockSize,
            request.sampling.promptLogprobs == nil, let id = request.leader, id != request.id,
            let leader = table.slot(of: id)
        else { return nil }
        return table[leader].request.computedCount < request.promptCount && !table[leader].isHeld ? leader : nil
    }

    /// Lets those wait in the policy's lines that waited for the prompt of `slot`.
    mutating func releaseFollowers(of slot: Slot) {
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
}
