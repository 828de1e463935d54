import Requests
import Scheduling
import SchedulingConformance
import Testing

@Suite("Scheduler, adapters")
struct AdapterSchedulingTests {
    private func world(slots: Int, sequences: Int = 8, wait: Int = 64, caching: Bool = false) -> SchedulerWorld {
        SchedulerWorld(
            blockCount: 64, blockSize: 4, maxSequenceCount: sequences, prefixCaching: caching, adapterSlotCount: slots,
            maxAdapterWaitCount: wait)
    }

    private func load(_ adapter: UInt64, _ slot: Int) -> AdapterLoad { AdapterLoad(AdapterID(adapter), slot: slot) }

    @Test("adapters are loaded once, into the slots used least recently; requests carry their slots")
    func slots() {
        var world = world(slots: 2)
        func step(_ adapters: UInt64?...) -> (loads: [AdapterLoad], slots: [Int?]) {
            for adapter in adapters { world.add([1, 2], adapter: adapter.map { AdapterID($0) }) { $0.maxTokens = 1 } }
            let output = world.step()
            return (output.adapterLoads, output.scheduled.map(\.adapterSlot))
        }
        var (loads, slots) = step(7, nil, 7, 8)
        #expect(loads == [load(7, 0), load(8, 1)] && slots == [0, nil, 0, 1])
        (loads, slots) = step(8, 7)
        #expect(loads == [] && slots == [1, 0])
        (loads, slots) = step(9)
        #expect(loads == [load(9, 1)] && slots == [1])
        (loads, slots) = step(8, 9)
        #expect(loads == [load(8, 0)] && slots == [0, 1])
        #expect(world.brokenInvariants == [])
    }

    @Test("a request whose adapter finds no slot is passed over, and others go on")
    func passedOver() {
        var world = world(slots: 1)
        let first = world.add([1], adapter: AdapterID(1)) { $0.maxTokens = 3 }
        let other = world.add([2], adapter: AdapterID(2)) { $0.maxTokens = 1 }
        let same = world.add([3], adapter: AdapterID(1)) { $0.maxTokens = 1 }
        let base = world.add([4]) { $0.maxTokens = 1 }
        #expect(world.step().scheduled.map(\.id) == [first, same, base])
        #expect(world.scheduler.statistics.waitingAdapters == [AdapterID(2)])
        #expect(world.scheduler.statistics.runningAdapters == [AdapterID(1)])
        #expect(world.step().scheduled.map(\.id) == [first])
        #expect(world.step().scheduled.map(\.id) == [first])
        let last = world.step()
        #expect(last.scheduled.map(\.id) == [other] && last.adapterLoads == [load(2, 0)])
        world.run()
        #expect(world.brokenInvariants == [])
    }

    @Test("after its wait, an adapter gets the slot with the fewest requests, which takes no new ones until then")
    func claim() {
        var world = world(slots: 2, wait: 3)
        let (one, two) = (AdapterID(1), AdapterID(2))
        for _ in 0..<2 { world.add([1], adapter: one) { $0.maxTokens = 50 } }
        let short = world.add([1], adapter: two) { $0.maxTokens = 8 }
        let claimant = world.add([5], adapter: AdapterID(3)) { $0.maxTokens = 1 }
        for step in 1...8 {
            // More for both slots: those of adapter 1 go on, those of adapter 2 wait from the fourth step on.
            let more = [one, two].map { adapter in world.add([2], adapter: adapter) { $0.maxTokens = 1 } }
            let ids = world.step().scheduled.map(\.id)
            #expect(ids.contains(more[0]) && ids.contains(short))
            #expect(ids.contains(more[1]) == (step < 4), "step \(step)")
            #expect(!ids.contains(claimant))
        }
        let output = world.step()
        #expect(output.adapterLoads == [load(3, 1)] && output.scheduled.map(\.id).contains(claimant))
        world.run()
        #expect(world.brokenInvariants == [] && world.reasons.values.allSatisfy { $0 == .length })
    }

    @Test("cached prefixes of another adapter, or of none, never hit, whatever salt a client names")
    func prefixes() {
        var world = world(slots: 2, caching: true)
        let prompt: [Int32] = Array(1...13)
        let keys: [(AdapterID?, String?)] = [
            (nil, nil), (AdapterID(1), nil), (AdapterID(2), nil), (nil, "1"), (AdapterID(1), "1"), (nil, "1:1"),
        ]
        for round in 0..<2 {
            for (adapter, salt) in keys {
                let id = world.add(prompt, cacheSalt: salt, adapter: adapter) { $0.maxTokens = 2 }
                let hitsBefore = world.scheduler.statistics.prefixHitCount
                world.run()
                #expect(world.scheduler.statistics.prefixHitCount - hitsBefore == (round == 0 ? 0 : 12))
                #expect(world.outputs[id] == SchedulerWorld.alone(prompt, tokenCount: 2, adapter: adapter))
            }
        }
        #expect(world.brokenInvariants == [])
    }

    @Test("a request shares the prompt of its leader only where they have one adapter")
    func forks() {
        for (adapter, count) in [(AdapterID(1), 1), (AdapterID(2), 13)] {
            var world = world(slots: 2, caching: true)
            let prompt: [Int32] = Array(1...13)
            let leader = world.add(prompt, adapter: AdapterID(1)) { $0.maxTokens = 3 }
            world.add(prompt, adapter: adapter, leader: leader) { $0.maxTokens = 3 }
            world.step()
            #expect(world.step().scheduled.map(\.tokens.count) == [1, count])
            world.run()
            #expect(world.brokenInvariants == [])
        }
    }

    @Test("a failed step empties the slots, and forgotten adapters leave theirs")
    func forgetting() {
        var world = world(slots: 2)
        world.add([1], adapter: AdapterID(1)) { $0.maxTokens = 1 }
        world.add([1], adapter: AdapterID(2)) { $0.maxTokens = 1 }
        world.step(fails: true)
        world.add([1], adapter: AdapterID(2)) { $0.maxTokens = 1 }
        #expect(world.step().adapterLoads == [load(2, 0)])
        world.add([1], adapter: AdapterID(1)) { $0.maxTokens = 1 }
        #expect(world.step().adapterLoads == [load(1, 1)])
        world.forget(AdapterID(1))
        world.add([1], adapter: AdapterID(3)) { $0.maxTokens = 1 }
        #expect(world.step().adapterLoads == [load(3, 1)])
        #expect(world.brokenInvariants == [])
    }

    /// Every choice of adapters for four requests among none and three, on one or two slots, with the later ones arriving at
    /// once or one a step, each to produce one or four tokens, in a pool that holds all or little more than one.
    @Test("every world of four requests finishes with the right tokens", arguments: [1, 2], [4, 16])
    func smallWorlds(slots: Int, blockCount: Int) {
        var worlds = 0
        for choice in 0..<256 {
            let adapters = (0..<4).map { ([nil, 1, 2, 3] as [UInt64?])[choice >> (2 * $0) & 3].map { AdapterID($0) } }
            for lengths in 0..<16 {
                for isStaggered in [false, true] {
                    var world = SchedulerWorld(
                        blockCount: blockCount, blockSize: 2, maxBatchedTokenCount: 4, maxSequenceCount: 3,
                        adapterSlotCount: slots, maxAdapterWaitCount: 2)
                    var ids: [RequestID] = []
                    let counts = (0..<4).map { lengths >> $0 & 1 == 0 ? 1 : 4 }
                    for index in 0..<4 {
                        ids.append(world.add([1, 1, 1], adapter: adapters[index]) { $0.maxTokens = counts[index] })
                        if isStaggered { world.step() }
                    }
                    world.run(maxSteps: 100)
                    worlds += 1
                    let isRight = ids.indices.allSatisfy {
                        world.outputs[ids[$0]]
                            == SchedulerWorld.alone([1, 1, 1], tokenCount: counts[$0], adapter: adapters[$0])
                    }
                    if !world.brokenInvariants.isEmpty || !isRight {
                        Issue.record("\(adapters), \(counts), \(isStaggered): \(world.brokenInvariants)")
                    }
                }
            }
        }
        #expect(worlds == 8192)
    }

    /// Two adapters take turns in one slot, however many requests of each there are, under a policy that prefers the first.
    @Test("no adapter waits longer than its wait and the longest running request", arguments: 1...6)
    func bound(wait: Int) {
        var world = world(slots: 1, sequences: 2, wait: wait)
        var lastRun = [0, 0]
        var number = 0
        for step in 1...300 {
            while world.scheduler.statistics.waitingCount < 6 {
                world.add([1], adapter: AdapterID(UInt64(number % 2))) { $0.maxTokens = 5 }
                number += 1
            }
            let output = world.step()
            for load in output.adapterLoads { lastRun[Int(load.adapter.rawValue)] = step }
            for adapter in world.scheduler.statistics.runningAdapters { lastRun[Int(adapter.rawValue)] = step }
            // At most `wait` steps until the claim, and 5 until the running requests have ended.
            #expect(lastRun.allSatisfy { step - $0 <= wait + 6 }, "step \(step): \(lastRun)")
        }
        #expect(world.brokenInvariants == [])
    }
}
