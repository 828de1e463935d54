import KVCaching
import Requests
import Scheduling
import SchedulingConformance
import SharedValues
import Testing

@Suite("Scheduler, swapping")
struct SwapSchedulingTests {
    private static let swapping = AdjustedPolicy(FirstComeFirstServed(), preemption: .swap)

    @Test("a victim's blocks move out, and back when it is admitted again; nothing is computed twice")
    func roundTrip() {
        var world = SchedulerWorld(
            blockCount: 4, blockSize: 2, prefixCaching: false, swapBlockCount: 4, policy: Self.swapping)
        let first = world.add([1, 2, 3]) { $0.maxTokens = 5 }
        let second = world.add([4, 5, 6]) { $0.maxTokens = 4 }
        world.step()
        world.step()
        // Both have four tokens in two blocks each, and the first needs a third.
        let preempting = world.step()
        #expect(preempting.preempted == [second] && preempting.scheduled.map(\.id) == [first])
        #expect(preempting.moves == [BlockMove(.swapOut, from: 2, to: 0), BlockMove(.swapOut, from: 3, to: 1)])
        #expect(preempting.scheduled[0].blocks == [[0, 1, 3]])
        #expect(world.scheduler.statistics.swappedCount == 1 && world.scheduler.statistics.swapUsage == 0.5)
        world.run()
        let statistics = world.scheduler.statistics
        #expect(world.brokenInvariants == [] && statistics.recomputedTokenCount == 0)
        #expect(statistics.swapOutCount == 1 && statistics.swappedOutTokenCount == 4)
        #expect(statistics.movedOutBlockCount == 2 && statistics.movedInBlockCount == 2)
        #expect(world.outputs[second] == SchedulerWorld.alone([4, 5, 6], tokenCount: 4))
    }

    @Test("without room in the swap space, tokens are computed again")
    func full() {
        var world = SchedulerWorld(
            blockCount: 4, blockSize: 2, prefixCaching: false, swapBlockCount: 1, policy: Self.swapping)
        for index in 0..<2 { world.add([Int32(index), 5, 6]) { $0.maxTokens = 5 } }
        world.run()
        let statistics = world.scheduler.statistics
        #expect(world.brokenInvariants == [] && statistics.swapOutCount == 0 && statistics.preemptionCount > 0)
        #expect(statistics.recomputedTokenCount > 0)
    }

    @Test("auto takes the cheaper way for each victim", arguments: [(1.0, 3.0), (1.0, 5.0)])
    func cheaper(tokenSeconds: Double, moveSeconds: Double) {
        var world = SchedulerWorld(
            blockCount: 4, blockSize: 4, prefixCaching: false, swapBlockCount: 4,
            speeds: PreemptionSpeeds(tokenSeconds: tokenSeconds, moveSeconds: moveSeconds))
        for index in 0..<2 { world.add([Int32(index), 5, 6]) { $0.maxTokens = 7 } }
        world.run()
        // A victim has eight tokens in two blocks: computing them takes 8 s, four moves 12 s or 20 s.
        #expect(world.scheduler.statistics.swapOutCount == 0)
        var other = SchedulerWorld(
            blockCount: 4, blockSize: 4, prefixCaching: false, swapBlockCount: 4,
            speeds: PreemptionSpeeds(tokenSeconds: moveSeconds, moveSeconds: tokenSeconds))
        for index in 0..<2 { other.add([Int32(index), 5, 6]) { $0.maxTokens = 7 } }
        other.run()
        #expect(other.scheduler.statistics.swapOutCount == 1 && other.scheduler.statistics.recomputedTokenCount == 0)
        #expect(world.brokenInvariants == [] && other.brokenInvariants == [])
    }

    @Test("speeds are measured: copies too slow are not made again, fast ones are", arguments: [0.001, 1000])
    func measured(moveSeconds: Double) {
        var scheduler = Scheduler(
            limits: SchedulerLimits(maxBatchedTokenCount: 64, maxSequenceCount: 4, maxModelLength: 16),
            cache: KVCacheManager(
                blockCount: 8, blockSize: 2, isPrefixCachingEnabled: false, swapBlockCount: 8),
            policy: FirstComeFirstServed())
        var executor = ScriptedExecutor(vocabularySize: 50, blockCount: 8, blockSize: 2, swapBlockCount: 8)
        var sampling = SamplingParameters()
        sampling.maxTokens = 10
        for index in 0..<12 {
            scheduler.add(
                Request(
                    id: RequestID(UInt64(index)), prompt: [Int32(index), 1, 2],
                    attributes: RequestAttributes(sampling: sampling), arrival: EngineInstant(nanoseconds: 0)))
        }
        var now = EngineInstant(nanoseconds: 0)
        while !scheduler.isIdle {
            let output = scheduler.schedule(at: now)
            var result = executor.execute(output)
            now = now.advanced(bySeconds: 0.1 * Double(output.tokenCount))
            if !output.moves.isEmpty {
                result.moveSeconds = moveSeconds * Double(output.moves.count)
                now = now.advanced(bySeconds: moveSeconds * Double(output.moves.count))
            }
            _ = scheduler.update(output, with: result, at: now)
        }
        let statistics = scheduler.statistics
        #expect(statistics.preemptionCount > 3)
        // Two give way in one step, before anything was measured.
        #expect(statistics.swapOutCount == (moveSeconds < 1 ? statistics.preemptionCount : 2))
    }

    @Test("a failed step loses the content of the swap space, and no request's tokens")
    func failure() {
        var world = SchedulerWorld(
            blockCount: 4, blockSize: 2, prefixCaching: false, swapBlockCount: 4, policy: Self.swapping)
        let first = world.add([1, 2, 3]) { $0.maxTokens = 5 }
        let second = world.add([4, 5, 6]) { $0.maxTokens = 5 }
        for _ in 0..<3 { world.step() }
        #expect(world.scheduler.statistics.swappedCount == 1)
        world.step(fails: true)
        #expect(world.scheduler.statistics.swappedCount == 0)
        world.run()
        #expect(world.brokenInvariants == [] && world.reasons[first] == .failure("told to fail"))
        #expect(world.outputs[second] == SchedulerWorld.alone([4, 5, 6], tokenCount: 5))
    }

    @Test("a request that is aborted while swapped leaves no blocks behind")
    func abort() {
        var world = SchedulerWorld(
            blockCount: 4, blockSize: 2, prefixCaching: false, swapBlockCount: 4, policy: Self.swapping)
        world.add([1, 2, 3]) { $0.maxTokens = 5 }
        let second = world.add([4, 5, 6]) { $0.maxTokens = 5 }
        for _ in 0..<3 { world.step() }
        #expect(world.scheduler.statistics.freeSwapBlockCount == 2)
        let isAborted = world.abort(second)
        #expect(isAborted && world.scheduler.statistics.freeSwapBlockCount == 4)
        world.run()
        #expect(world.brokenInvariants == [])
    }

    @Test("requests that each need the whole pool, all preempting each other, finish", arguments: [0, 1, 4, 20])
    func wholePoolEach(swapBlockCount: Int) {
        for rule in VictimRule.allCases {
            for prefixCaching in [false, true] {
                var world = SchedulerWorld(
                    blockCount: 4, blockSize: 2, prefixCaching: prefixCaching, swapBlockCount: swapBlockCount,
                    policy: AdjustedPolicy(FirstComeFirstServed(), victims: rule, preemption: .swap))
                let ids = (0..<5).map { index in world.add([Int32(index)], priority: index) { $0.maxTokens = 100 } }
                world.run(maxSteps: 2000)
                #expect(world.brokenInvariants == [], "\(rule)")
                for (index, id) in ids.enumerated() {
                    #expect(world.outputs[id] == SchedulerWorld.alone([Int32(index)], tokenCount: 7))
                }
            }
        }
    }

    @Test("prefixes that had to leave the device are found again and not computed")
    func secondTier() {
        var world = SchedulerWorld(blockCount: 4, blockSize: 2, swapBlockCount: 8)
        let prompts: [[Int32]] = [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12, 13, 14, 15]]
        for prompt in prompts + prompts {
            let id = world.add(prompt) { $0.maxTokens = 2 }
            world.run()
            #expect(world.outputs[id] == SchedulerWorld.alone(prompt, tokenCount: 2))
        }
        let statistics = world.scheduler.statistics
        #expect(world.brokenInvariants == [])
        #expect(statistics.prefixHitCount == 12)
        #expect(statistics.swappedPrefixHitCount > 6)
    }

    @Test("every world of two requests with a swap space of any size", arguments: 2...4, 0...4)
    func pairs(blockCount: Int, swapBlockCount: Int) {
        for prefixCaching in [false, true] {
            for (first, second) in [(1, 1), (1, 3), (2, 2), (3, 1), (3, 3)] {
                for arrival in 0...2 {
                    var world = SchedulerWorld(
                        blockCount: blockCount, blockSize: 2, maxBatchedTokenCount: 3, maxSequenceCount: 2,
                        prefixCaching: prefixCaching, swapBlockCount: swapBlockCount, policy: Self.swapping)
                    let one = world.add(Array(repeating: 1, count: first)) { $0.maxTokens = 100 }
                    for _ in 0..<arrival { world.step() }
                    let two = world.add(Array(repeating: 1, count: second)) { $0.maxTokens = 100 }
                    world.run(maxSteps: 200)
                    #expect(world.brokenInvariants == [])
                    for (id, count) in [(one, first), (two, second)] {
                        let alone = SchedulerWorld.alone(
                            Array(repeating: 1, count: count), tokenCount: 2 * blockCount - count)
                        #expect(world.outputs[id] == alone)
                    }
                }
            }
        }
    }
}
