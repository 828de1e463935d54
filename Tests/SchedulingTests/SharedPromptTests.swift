import KVCaching
import Requests
import Scheduling
import SchedulingConformance
import SharedValues
import Testing

@Suite("Choices of one prompt")
struct SharedPromptTests {
    private let prompt: [Int32] = Array(1...11)

    private func choices(_ count: Int, in world: inout SchedulerWorld) -> [RequestID] {
        let first = world.add(prompt) { $0.maxTokens = 3 }
        return [first] + (1..<count).map { _ in world.add(prompt, leader: first) { $0.maxTokens = 3 } }
    }

    @Test("the prompt is computed once; each choice has only the last block to itself")
    func sharing() {
        var world = SchedulerWorld(blockCount: 32, blockSize: 4)
        let ids = choices(4, in: &world)
        #expect(world.step().scheduled.map(\.id) == [ids[0]])
        #expect(world.scheduler.statistics.waitingCount == 3)
        let second = world.step()
        #expect(second.scheduled.map(\.tokens.count) == [1, 1, 1, 1])
        #expect(second.moves == [3, 4, 5].map { BlockMove(.copy, from: 2, to: $0) })
        #expect(Set(second.scheduled.map { $0.blocks[0].prefix(2) }).count == 1)
        #expect(Set(second.scheduled.map { $0.blocks[0][2] }).count == 4)
        #expect(world.scheduler.statistics.freeBlockCount == 32 - 6)
        world.run()
        #expect(world.brokenInvariants == [])
        for id in ids { #expect(world.outputs[id] == SchedulerWorld.alone(prompt, tokenCount: 3)) }
    }

    @Test("a prompt whose last token begins a block is shared whole, and nothing is copied")
    func wholeBlocks() {
        var world = SchedulerWorld(blockCount: 32, blockSize: 4)
        let prompt: [Int32] = Array(1...9)
        let first = world.add(prompt) { $0.maxTokens = 3 }
        let ids = [first] + (1..<3).map { _ in world.add(prompt, leader: first) { $0.maxTokens = 3 } }
        world.step()
        let second = world.step()
        #expect(second.scheduled.map(\.tokens.count) == [1, 1, 1] && second.moves == [])
        #expect(world.scheduler.statistics.freeBlockCount == 32 - 5)
        world.run()
        #expect(world.brokenInvariants == [])
        for id in ids { #expect(world.outputs[id] == SchedulerWorld.alone(prompt, tokenCount: 3)) }
    }

    @Test("a request that waits for a prompt goes on when its leader is aborted, and can be aborted itself")
    func abort() {
        var world = SchedulerWorld(blockCount: 32, blockSize: 4, maxBatchedTokenCount: 4)
        let ids = choices(3, in: &world)
        world.step()
        let (isFollowerAborted, isLeaderAborted) = (world.abort(ids[1]), world.abort(ids[0]))
        #expect(isFollowerAborted && isLeaderAborted)
        #expect(world.scheduler.statistics.waitingCount == 1)
        world.run()
        #expect(world.brokenInvariants == [] && world.reasons[ids[2]] == .length)
    }

    @Test("without a prefix cache no request waits for its leader")
    func disabled() {
        var world = SchedulerWorld(blockCount: 32, blockSize: 4, prefixCaching: false)
        _ = choices(3, in: &world)
        #expect(world.step().scheduled.map(\.tokens.count) == [11, 11, 11])
        world.run()
        #expect(world.brokenInvariants == [])
    }
}
