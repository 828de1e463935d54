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

    @Test("share the rows of logits, and leave one to the request that is admitted next")
    func sharing() {
        var world = SchedulerWorld(blockCount: 32, blockSize: 4, maxScoredCount: 5)
        let ids = (0..<3).map { _ in world.add(prompt, scored) }
        let plain = world.add([7, 8]) { $0.maxTokens = 2 }
        func counts(_ output: SchedulerOutput) -> [Int] { output.scheduled.map(\.scoredPositions.count) }
        // The third finds no row in the step in which the first two come, and keeps the requests behind it waiting.
        #expect(counts(world.step()) == [4, 1])
        let second = world.step()
        #expect(second.scheduled.map(\.id) == ids + [plain] && counts(second) == [2, 2, 1, 0])
        // The first is nearly done; all of them have a row.
        #expect(counts(world.step()) == [1, 1, 2, 0])
        world.run()
        for id in ids { #expect(world.scores[id] == expected(prompt)) }
        #expect(world.brokenInvariants == [])
    }

    @Test("a single scored request leaves one row, and the next request takes it")
    func overtaking() {
        var world = SchedulerWorld(blockCount: 64, blockSize: 4, maxScoredCount: 4)
        let long = world.add(Array(0..<40), scored)
        #expect(world.step().scheduled[0].scoredPositions.count == 3)
        let short = world.add([3, 1, 2], scored)
        let plain = world.add([7, 8]) { $0.maxTokens = 2 }
        let step = world.step()
        #expect(step.scheduled.map(\.id) == [long, short, plain])
        #expect(step.scheduled.map(\.scoredPositions.count) == [3, 1, 0])
        world.run()
        #expect(world.scores[long] == expected(Array(0..<40)) && world.scores[short] == expected([3, 1, 2]))
        #expect(world.brokenInvariants == [])
    }

    @Test("wait in the order of the policy, which a longer one that came before does not change")
    func priority() {
        var world = SchedulerWorld(
            blockCount: 64, blockSize: 4, maxSequenceCount: 1, policy: PriorityFirst(ageingSeconds: 1000))
        let running = world.add([1, 2]) { $0.maxTokens = 2 }
        world.step()
        let long = world.add(Array(0..<40), priority: 9, scored)
        let urgent = world.add(prompt, priority: 0, scored)
        world.run()
        #expect(world.admissionOrder == [running, urgent, long])
        #expect(world.scores[urgent] == expected(prompt) && world.brokenInvariants == [])
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

    @Test("choices that wait for an aborted leader go on by themselves")
    func aborts() {
        var world = SchedulerWorld(blockCount: 32, blockSize: 4, prefixCaching: false, maxScoredCount: 3)
        let first = world.add(prompt, scored)
        let second = world.add(prompt, leader: first) { $0.maxTokens = 2 }
        world.step()
        let isAborted = world.abort(first)
        #expect(isAborted && world.step().scheduled.map(\.id) == [second])
        world.run()
        #expect(world.reasons[second] == .length && world.brokenInvariants == [])
    }
}
