import Requests
import Scheduling
import SharedValues

/// More requests than fit, all at once: the pool is full to the last block, and every request can preempt every other.
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

/// One request that any policy has reason to pass over, among others that keep coming.
struct StarvationLoad {
    let seed: UInt64

    func run(_ policy: any SchedulerPolicy) -> [String] {
        var world = SchedulerWorld(
            blockCount: 16, blockSize: 2, maxBatchedTokenCount: 8, maxSequenceCount: 2, maxPreemptionCount: 2,
            maxOvertakingCount: 64, policy: policy)
        // The others come first, so that policies that learn prefer them, and their tenants have no history.
        for index in 0..<4 { offer(index, to: &world) }
        let disadvantaged = world.add(
            Array(repeating: 9, count: 20), priority: 1000, tenant: "others",
            deadlineSeconds: seed % 2 == 0 ? nil : 3600
        ) { $0.maxTokens = 8 }
        for index in 4..<2000 {
            if world.scheduler.statistics.waitingCount < 6 { offer(index, to: &world) }
            world.step()
            if world.reasons[disadvantaged] != nil { break }
        }
        var failures = world.brokenInvariants
        if world.reasons[disadvantaged] == nil {
            failures.append("passed over for \(world.admissionOrder.count) admissions and not finished")
        }
        world.run()
        return failures + world.brokenInvariants
    }

    /// A short, urgent request whose prompt is in the cache, of a tenant that was never served.
    private func offer(_ index: Int, to world: inout SchedulerWorld) {
        let tenant = seed < 2 ? "tenant \(index)" : "others"
        world.add([1, 2, 3, 4, 5], priority: -1000, tenant: tenant, deadlineSeconds: 30) { $0.maxTokens = 2 }
    }
}

/// Ten thousand requests wait; most are aborted at random, the others finish.
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
