import Requests
import Scheduling
import SharedValues

/// Ten thousand wait; most are aborted at random, the others finish.
struct CrowdLoad {
    let seed: UInt64

    func run(_ policy: any SchedulerPolicy) -> [String] {
        var random = SplitMix64(seed: seed)
        var world = SchedulerWorld(
            blockCount: 64, blockSize: 4, maxBatchedTokenCount: 64, maxSequenceCount: 16, swapBlockCount: 16,
            policy: policy)
        world.checksEveryStep = false
        var ids: [RequestID] = []
        for index in 0..<10_000 {
            ids.append(
                world.add(
                    [Int32(index % 40), Int32(index / 40 % 40), 3], priority: index % 7, tenant: "\(index % 50)"
                ) { $0.maxTokens = 1 + index % 3 })
        }
        ids.shuffle(using: &random)
        for (index, id) in ids.prefix(9000).enumerated() {
            _ = world.abort(id)
            if index % 100 == 0 { world.step() }
        }
        world.run()
        return world.brokenInvariants
    }
}
