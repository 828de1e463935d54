import Requests
import Scheduling
import SharedValues

/// Requests with more adapters than there are slots.
struct AdapterLoads {
    let seed: UInt64

    /// Requests with five adapters or none on one to three slots, in a pool so small that they preempt one another; some are
    /// aborted, some steps fail.
    func random(_ policy: any SchedulerPolicy) -> LoadOutcome {
        var random = SplitMix64(seed: seed)
        let blockCount = 6 + random.next(below: 8)
        var world = SchedulerWorld(
            blockCount: blockCount, blockSize: 2, maxBatchedTokenCount: 2 + random.next(below: 12),
            maxSequenceCount: 1 + random.next(below: 5), prefixCaching: seed % 3 != 0,
            maxPreemptionCount: random.next(below: 4), maxOvertakingCount: 1 + random.next(below: 40),
            swapBlockCount: seed % 2 == 0 ? 0 : blockCount, adapterSlotCount: 1 + Int(seed % 3),
            maxAdapterWaitCount: 1 + random.next(below: 10), policy: policy,
            speeds: PreemptionSpeeds(tokenSeconds: 1, moveSeconds: Double(random.next(below: 5)) / 2))
        var expected: [RequestID: [Int32]] = [:]
        var schedule: [[UInt64]] = []
        for _ in 0..<120 {
            if random.next(below: 2) == 0 {
                let prompt = (0..<1 + random.next(below: 6)).map { _ in Int32(random.next(below: 2)) }
                let adapter = ([nil, 1, 1, 2, 3, 4] as [UInt64?])[random.next(below: 6)].map { AdapterID($0) }
                let tokenCount = 1 + random.next(below: 5)
                var leader: RequestID?
                for _ in 0..<1 + random.next(below: 2) {
                    let id = world.add(
                        prompt, priority: random.next(below: 4), tenant: ["", "a", "b"][random.next(below: 3)],
                        cacheSalt: random.next(below: 4) == 0 ? "1" : nil, adapter: adapter, leader: leader
                    ) { $0.maxTokens = tokenCount }
                    leader = id
                    expected[id] = SchedulerWorld.alone(prompt, tokenCount: tokenCount, adapter: adapter)
                }
            }
            if random.next(below: 12) == 0, let id = expected.keys.sorted().randomElement(using: &random) {
                _ = world.abort(id)
            }
            schedule.append(world.step(fails: random.next(below: 40) == 0).scheduled.map(\.id.rawValue))
        }
        world.run(maxSteps: 20_000)
        var failures = world.brokenInvariants
        for (id, tokens) in expected.sorted(by: { $0.key < $1.key }) {
            let output = world.outputs[id] ?? []
            let isRight = world.reasons[id] == .length ? output == tokens : tokens.starts(with: output)
            if !isRight { failures.append("\(id) gave \(output), alone it gives \(tokens)") }
        }
        return LoadOutcome(failures: failures, schedule: schedule)
    }

    /// A request that any policy has reason to pass over, with an adapter of its own. The others keep coming, two for each
    /// slot, so that no slot is ever free by itself.
    func lonely(_ policy: any SchedulerPolicy) -> [String] {
        let slotCount = 1 + Int(seed % 2)
        var world = SchedulerWorld(
            blockCount: 32, blockSize: 2, maxBatchedTokenCount: 16, maxSequenceCount: 2 * slotCount + 1,
            maxPreemptionCount: 2, maxOvertakingCount: 64, adapterSlotCount: slotCount, maxAdapterWaitCount: 8,
            policy: policy)
        func offer(_ index: Int, to world: inout SchedulerWorld) {
            world.add(
                [1, 2, 3], priority: -1000, tenant: seed < 2 ? "tenant \(index)" : "others", deadlineSeconds: 30,
                adapter: AdapterID(UInt64(index % slotCount))
            ) { $0.maxTokens = 2 + index % 3 }
        }
        for index in 0..<2 * slotCount { offer(index, to: &world) }
        world.step()
        let lonely = world.add(Array(repeating: 9, count: 20), priority: 1000, tenant: "others", adapter: AdapterID(9))
        {
            $0.maxTokens = 4
        }
        for index in 0..<4000 where world.reasons[lonely] == nil {
            while world.scheduler.statistics.waitingCount < 4 * slotCount { offer(index, to: &world) }
            world.step()
        }
        var failures = world.brokenInvariants
        if world.reasons[lonely] == nil {
            failures.append("passed over for \(world.admissionOrder.count) admissions and not finished")
        }
        world.run()
        failures += world.brokenInvariants
        return failures
    }
}
