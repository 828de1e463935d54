import Requests
import Scheduling
import SchedulingConformance
import SharedValues
import Testing

@Suite("Scheduler, cache groups")
struct CacheGroupSchedulingTests {
    private static let groups: [[CacheGroup]] = [
        [CacheGroup(blockSize: 2), CacheGroup(blockSize: 2, slidingWindow: 3)],
        [CacheGroup(blockSize: 1, slidingWindow: 1), CacheGroup(blockSize: 1, slidingWindow: 4)],
        [
            CacheGroup(blockSize: 2), CacheGroup(blockSize: 1, slidingWindow: 2),
            CacheGroup(blockSize: 1, slidingWindow: 2),
        ],
    ]

    /// Pairs of requests on pools with room for one of 4 to 8 tokens, under every budget of 1 to 3 tokens, the second
    /// arriving after 0 to 2 steps, the first aborted after 1 to 3 more or never; with and without prefix cache and swap
    /// space. Each is checked after every step.
    @Test("every world of two requests finishes with the right tokens", arguments: groups, [4, 6, 8])
    func pairs(groups: [CacheGroup], length: Int) {
        var (worldCount, preemptionCount, hitCount, swapCount) = (0, 0, 0, 0)
        for budget in 1...3 {
            let blockCount = groups.maximumBlockCount(forTokens: length, chunkTokenCount: budget)
            for (first, second) in [(1, 1), (1, 3), (2, 3), (3, 1), (3, 3)] {
                for arrival in 0...2 {
                    for abort in [1, 3, nil] {
                        for (prefixCaching, swapBlockCount) in [(true, 0), (false, 4), (true, 9)] {
                            var world = SchedulerWorld(
                                blockCount: blockCount, groups: groups, maxBatchedTokenCount: budget,
                                maxSequenceCount: 2, maxModelLength: length, prefixCaching: prefixCaching,
                                swapBlockCount: swapBlockCount,
                                policy: AdjustedPolicy(
                                    FirstComeFirstServed(), preemption: swapBlockCount > 0 ? .swap : nil))
                            check(&world, groups, first, second, arrival: arrival, abort: abort)
                            let statistics = world.scheduler.statistics
                            worldCount += 1
                            preemptionCount += statistics.preemptionCount
                            hitCount += statistics.prefixHitCount
                            swapCount += statistics.movedInBlockCount
                        }
                    }
                }
            }
        }
        #expect(worldCount == 405 && preemptionCount > 0 && hitCount > 0 && swapCount > 0)
    }

    private func check(
        _ world: inout SchedulerWorld, _ groups: [CacheGroup], _ first: Int, _ second: Int, arrival: Int, abort: Int?
    ) {
        // Equal tokens, so that the two share prefixes wherever they can.
        let prompts = [first, second].map { [Int32](repeating: 1, count: $0) }
        var ids = [world.add(prompts[0]) { $0.maxTokens = 100 }]
        for _ in 0..<arrival { world.step() }
        ids.append(world.add(prompts[1]) { $0.maxTokens = 100 })
        var isAborted = false
        if let abort {
            for _ in 0..<abort { world.step() }
            isAborted = world.abort(ids[0])
        }
        world.run(maxSteps: 300)
        if !world.brokenInvariants.isEmpty { Issue.record("\(groups), \(prompts): \(world.brokenInvariants)") }
        for (index, id) in ids.enumerated() where !(isAborted && index == 0) {
            let count = world.maxModelLength - prompts[index].count
            if world.outputs[id] != SchedulerWorld.alone(prompts[index], tokenCount: count, groups: groups) {
                Issue.record("\(groups): request \(index) gave \(world.outputs[id] ?? [])")
            }
        }
    }

    @Test("a full layer in six keeps a sixth of the blocks; the others keep their windows", arguments: [true, false])
    func bounded(prefixCaching: Bool) {
        let sliding = CacheGroup(blockSize: 2, slidingWindow: 5)
        let groups = Array(repeating: sliding, count: 5) + [CacheGroup(blockSize: 2)]
        // Four requests of 64 tokens hold 32 blocks of the full group and four of each window at most.
        let blockCount = 4 * (32 + 5 * 4)
        var world = SchedulerWorld(
            blockCount: blockCount, groups: groups, maxBatchedTokenCount: 4, maxModelLength: 64,
            prefixCaching: prefixCaching)
        let ids = (0..<4).map { index in world.add([Int32(index), 1, 2]) { $0.maxTokens = 100 } }
        world.run()
        #expect(world.brokenInvariants == [] && world.scheduler.statistics.preemptionCount == 0)
        for (index, id) in ids.enumerated() {
            #expect(world.outputs[id] == SchedulerWorld.alone([Int32(index), 1, 2], tokenCount: 61, groups: groups))
        }
    }

    @Test("a sequence may be longer than the pool where every group slides")
    func endless() {
        let groups = [CacheGroup(blockSize: 2, slidingWindow: 3), CacheGroup(blockSize: 2, slidingWindow: 4)]
        let blockCount = groups.maximumBlockCount(forTokens: 1000, chunkTokenCount: 4)
        var world = SchedulerWorld(blockCount: blockCount, groups: groups, maxBatchedTokenCount: 4, maxModelLength: 200)
        let ids = (0..<3).map { index in world.add([Int32(index), 7]) { $0.maxTokens = 198 } }
        world.run()
        #expect(blockCount < 12 && world.brokenInvariants == [])
        for (index, id) in ids.enumerated() {
            #expect(world.outputs[id] == SchedulerWorld.alone([Int32(index), 7], tokenCount: 198, groups: groups))
        }
    }

    @Test("choices of one prompt share the blocks of every group")
    func choices() {
        let groups = [CacheGroup(blockSize: 4), CacheGroup(blockSize: 4, slidingWindow: 6)]
        var world = SchedulerWorld(blockCount: 64, groups: groups)
        let prompt: [Int32] = Array(1...10)
        let first = world.add(prompt) { $0.maxTokens = 9 }
        let ids = [first] + (1..<4).map { _ in world.add(prompt, leader: first) { $0.maxTokens = 9 } }
        world.step()
        let second = world.step()
        #expect(second.scheduled.map(\.tokens.count) == [1, 1, 1, 1] && second.moves.count == 6)
        for group in groups.indices {
            #expect(Set(second.scheduled.map { $0.blocks[group].prefix(2) }).count == 1)
            #expect(Set(second.scheduled.map { $0.blocks[group][2] }).count == 4)
        }
        world.run()
        #expect(world.brokenInvariants == [])
        for id in ids { #expect(world.outputs[id] == SchedulerWorld.alone(prompt, tokenCount: 9, groups: groups)) }
    }

    @Test("a prefix whose blocks behind the window are gone is found, and computed no more")
    func prefixHit() {
        let groups = [CacheGroup(blockSize: 2), CacheGroup(blockSize: 2, slidingWindow: 4)]
        // The second prompt reuses what the first one has freed behind its window.
        var world = SchedulerWorld(blockCount: 16, groups: groups)
        let prompt: [Int32] = Array(1...8)
        let first = world.add(prompt) { $0.maxTokens = 1 }
        world.run()
        let second = world.add(prompt + [9, 10]) { $0.maxTokens = 3 }
        #expect(world.step().scheduled[0].firstPosition == 8)
        world.run()
        #expect(world.outputs[first]?.count == 1 && world.brokenInvariants == [])
        #expect(world.outputs[second] == SchedulerWorld.alone(prompt + [9, 10], tokenCount: 3, groups: groups))
    }
}
