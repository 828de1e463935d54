import Requests
import Scheduling
import SchedulingConformance
import Testing

/// The corners of memory, step by step: everything finishes, and all blocks come back.
@Suite("Scheduler, liveness")
struct LivenessTests {
    @Test("pool full to the last block: running requests that need no new one go on", arguments: [1, 2, 4])
    func fullPool(blockSize: Int) {
        var world = SchedulerWorld(blockCount: 8, blockSize: blockSize, maxSequenceCount: 8, prefixCaching: false)
        for index in 0..<8 { world.add(Array(repeating: Int32(index), count: blockSize)) { $0.maxTokens = 1 } }
        world.step()
        #expect(world.reasons.count == 8)
        for index in 0..<8 { world.add(Array(repeating: Int32(index), count: blockSize)) { $0.maxTokens = 2 } }
        let full = world.step()
        #expect(full.scheduled.count == 8 && world.scheduler.statistics.freeBlockCount == 0)
        world.run()
        #expect(world.brokenInvariants == [] && world.reasons.values.allSatisfy { $0 == .length })
    }

    @Test("one more request than fits waits and is served", arguments: 1...6)
    func oneTooMany(blockCount: Int) {
        var world = SchedulerWorld(blockCount: blockCount, blockSize: 4, prefixCaching: false)
        let ids = (0...blockCount).map { index in world.add([Int32(index), 1, 2]) { $0.maxTokens = 1 } }
        #expect(world.step().scheduled.map(\.id) == Array(ids.dropLast()))
        #expect(world.step().scheduled.map(\.id) == [ids[blockCount]])
        world.run()
        #expect(world.brokenInvariants == [])
    }

    @Test("requests that each need the whole pool run one after the other, under every victim rule")
    func wholePoolEach() {
        for rule in VictimRule.allCases {
            var world = SchedulerWorld(
                blockCount: 4, blockSize: 2, prefixCaching: false,
                policy: AdjustedPolicy(FirstComeFirstServed(), victims: rule))
            let ids = (0..<5).map { index in world.add([Int32(index)], priority: index) { $0.maxTokens = 100 } }
            world.run(maxSteps: 2000)
            #expect(world.brokenInvariants == [], "\(rule)")
            for (index, id) in ids.enumerated() {
                #expect(world.outputs[id] == SchedulerWorld.alone([Int32(index)], tokenCount: 7))
            }
        }
    }

    @Test("a policy that always preempts the request nearest to its end cannot keep requests from ending")
    func everybodyPreempted() {
        var world = SchedulerWorld(
            blockCount: 6, blockSize: 1, prefixCaching: false, maxPreemptionCount: 3, policy: Obstruction())
        for index in 0..<6 { world.add([Int32(index)]) { $0.maxTokens = 5 } }
        world.run(maxSteps: 2000)
        #expect(world.brokenInvariants == [] && world.reasons.values.allSatisfy { $0 == .length })
    }

    @Test("a share of nothing still computes the first request")
    func noShare() {
        var world = SchedulerWorld(blockCount: 16, blockSize: 4, maxBatchedTokenCount: 8, policy: Obstruction())
        let id = world.add(Array(0..<20)) { $0.maxTokens = 1 }
        for _ in 0..<20 { #expect(world.step().tokenCount == 1) }
        #expect(world.reasons[id] == .length)
    }
}
