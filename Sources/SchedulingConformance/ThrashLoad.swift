import Requests
import Scheduling
import SharedValues

/// More than fits, all at once: the pool is full to the last block, and every request can preempt every other.
struct ThrashLoad {
    let seed: UInt64

    func run(_ policy: any SchedulerPolicy) -> LoadOutcome {
        var random = SplitMix64(seed: seed)
        let blockSize = [1, 2, 4][Int(seed % 3)]
        let blockCount = 12 / blockSize
        var world = SchedulerWorld(
            blockCount: blockCount, blockSize: blockSize, maxSequenceCount: 12, prefixCaching: seed % 2 == 0,
            maxPreemptionCount: 1 + random.next(below: 8),
            swapBlockCount: seed % 4 == 0 ? 0 : random.next(below: 3 * blockCount), policy: policy)
        var prompts: [RequestID: [Int32]] = [:]
        for index in 0..<12 {
            // Each grows until it needs the whole pool.
            let prompt = [Int32(index), Int32(random.next(below: 3))]
            let id = world.add(prompt, priority: index % 3, tenant: "\(index % 4)") { $0.maxTokens = 100 }
            prompts[id] = prompt
        }
        var schedule: [[UInt64]] = []
        for _ in 0..<50 { schedule.append(world.step().scheduled.map(\.id.rawValue)) }
        world.run(maxSteps: 20_000)
        var failures = world.brokenInvariants
        for (id, prompt) in prompts.sorted(by: { $0.key < $1.key }) where world.reasons[id] == .length {
            let alone = SchedulerWorld.alone(prompt, tokenCount: blockCount * blockSize - 2)
            if world.outputs[id] != alone { failures.append("\(id) gave \(world.outputs[id] ?? [])") }
        }
        return LoadOutcome(failures: failures, schedule: schedule)
    }
}
