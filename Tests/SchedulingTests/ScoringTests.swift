import Requests
import Scheduling
import SchedulingConformance
import Testing

@Suite("Scored prompts")
struct ScoringTests {
    private let prompt: [Int32] = Array(1...9)

    private func scored(_ sampling: inout SamplingParameters) {
        sampling.maxTokens = 2
        sampling.promptLogprobs = 0
    }

    private func expected(_ prompt: [Int32]) -> [Int32] {
        prompt.indices.dropLast().map { ScriptedExecutor.next(after: Array(prompt[...$0]), vocabularySize: 50) }
    }

    @Test("one that finds no row of logits keeps nobody else waiting, and is scored after the one before it")
    func overtaking() {
        var world = SchedulerWorld(blockCount: 32, blockSize: 4, maxScoredCount: 3)
        let first = world.add(prompt, scored)
        let second = world.add(Array(prompt.reversed()), scored)
        let plain = world.add([7, 8]) { $0.maxTokens = 2 }
        #expect(world.step().scheduled.map(\.id) == [first, plain])
        #expect(world.scheduler.statistics.waitingCount == 1)
        world.run()
        #expect(world.admissionOrder == [first, plain, second])
        #expect(world.scores[first] == expected(prompt) && world.scores[second] == expected(prompt.reversed()))
        #expect(world.brokenInvariants == [])
    }

    @Test("short ones share a step, as many as leave each a position")
    func sharing() {
        var world = SchedulerWorld(blockCount: 32, blockSize: 4, maxScoredCount: 4)
        let ids = (0..<4 as Range<Int32>).map { world.add([$0, 1, 2], scored) }
        let step = world.step()
        #expect(step.scheduled.map(\.id) == [ids[0], ids[1]])
        #expect(step.scheduled.map(\.scoredPositions.count) == [2, 2])
        world.run()
        for (index, id) in ids.enumerated() { #expect(world.scores[id] == expected([Int32(index), 1, 2])) }
        #expect(world.brokenInvariants == [])
    }

    @Test("the last that is let in may find few rows, but never none")
    func rest() {
        var world = SchedulerWorld(blockCount: 32, blockSize: 4, maxScoredCount: 4)
        let ids = [world.add([1, 2, 3, 4], scored), world.add(prompt, scored), world.add(prompt, scored)]
        let step = world.step()
        #expect(step.scheduled.map(\.id) == Array(ids[..<2]) && step.scheduled.map(\.scoredPositions.count) == [3, 1])
        world.run()
        for id in ids.dropFirst() { #expect(world.scores[id] == expected(prompt)) }
        #expect(world.brokenInvariants == [])
    }

    @Test("other choices of a scored prompt begin once it is scored", arguments: [true, false])
    func choices(prefixCaching: Bool) {
        var world = SchedulerWorld(blockCount: 32, blockSize: 4, prefixCaching: prefixCaching, maxScoredCount: 5)
        let first = world.add(prompt, scored)
        let second = world.add(prompt, leader: first) { $0.maxTokens = 2 }
        let (step, next) = (world.step(), world.step())
        #expect(step.scheduled.map(\.id) == [first] && next.scheduled.map(\.id) == [first])
        #expect(world.scores[first] == expected(prompt) && world.outputs[second] == [])
        world.run()
        #expect(world.outputs[second] == SchedulerWorld.alone(prompt, tokenCount: 2))
        #expect(world.brokenInvariants == [])
    }

    @Test("those that wait are let in when those before them go away, and can go away themselves")
    func aborts() {
        var world = SchedulerWorld(blockCount: 32, blockSize: 4, maxScoredCount: 3)
        let ids = (0..<4).map { _ in world.add(prompt, scored) }
        let follower = world.add(prompt, leader: ids[2]) { $0.maxTokens = 2 }
        world.step()
        let (first, second) = (world.abort(ids[0]), world.abort(ids[1]))
        #expect(first && second && world.scheduler.statistics.waitingCount == 3)
        #expect(world.step().scheduled.map(\.id) == [ids[2]])
        world.run()
        #expect(world.scores[ids[2]] == expected(prompt) && world.scores[ids[3]] == expected(prompt))
        #expect(world.reasons[follower] == .length && world.brokenInvariants == [])
    }
}
