import KVCaching
import Requests
import Scheduling
import SchedulingConformance
import Testing

@Suite("Scheduler")
struct SchedulerTests {
    @Test("a prompt is computed in chunks of the token budget, then one token a step, in exact blocks")
    func chunks() {
        var world = SchedulerWorld(blockCount: 8, blockSize: 4, maxBatchedTokenCount: 4)
        let id = world.add([1, 2, 3, 4, 5, 6]) { $0.maxTokens = 3 }
        let first = world.step()
        #expect(first.admitted.map(\.id) == [id] && first.admitted.first?.prompt == [1, 2, 3, 4, 5, 6])
        #expect(first.scheduled.map { Array($0.tokens) } == [[1, 2, 3, 4]])
        #expect(first.scheduled[0].blocks == [[0]] && !first.scheduled[0].samplesNext)
        let second = world.step()
        #expect(second.admitted.isEmpty)
        #expect(second.scheduled[0].firstPosition == 4 && Array(second.scheduled[0].tokens) == [5, 6])
        #expect(second.scheduled[0].blocks == [[0, 1]] && second.scheduled[0].samplesNext)
        let third = world.step()
        #expect(third.scheduled[0].firstPosition == 6 && third.scheduled[0].tokens.count == 1)
        world.run()
        #expect(world.outputs[id] == SchedulerWorld.alone([1, 2, 3, 4, 5, 6], tokenCount: 3))
        #expect(world.reasons[id] == .length)
        #expect(world.step().finished == [id])
        #expect(world.brokenInvariants.isEmpty)
    }

    @Test("running requests share the budget before a new prompt gets the rest")
    func sharedBudget() {
        var world = SchedulerWorld(blockCount: 16, blockSize: 4, maxBatchedTokenCount: 5)
        let first = world.add([1, 2, 3]) { $0.maxTokens = 4 }
        world.step()
        let second = world.add([4, 5, 6, 7, 8, 9]) { $0.maxTokens = 1 }
        let mixed = world.step()
        #expect(mixed.scheduled.map(\.id) == [first, second])
        #expect(mixed.scheduled.map(\.tokens.count) == [1, 4])
        world.run()
        #expect(world.brokenInvariants.isEmpty)
    }

    @Test("the latest arrival is preempted, keeps its tokens and computes them again")
    func preemption() {
        var world = SchedulerWorld(blockCount: 4, blockSize: 2, prefixCaching: false)
        let first = world.add([1, 2, 3]) { $0.maxTokens = 5 }
        let second = world.add([4, 5, 6]) { $0.maxTokens = 5 }
        world.step()
        world.step()
        let third = world.step()
        #expect(third.preempted == [second] && third.scheduled.map(\.id) == [first])
        world.run()
        #expect(world.outputs[first] == SchedulerWorld.alone([1, 2, 3], tokenCount: 5))
        #expect(world.outputs[second] == SchedulerWorld.alone([4, 5, 6], tokenCount: 5))
        #expect(world.scheduler.statistics.preemptionCount > 0)
        #expect(world.brokenInvariants.isEmpty)
    }

    @Test("a request that needs every block of the pool finishes")
    func wholePool() {
        var world = SchedulerWorld(blockCount: 3, blockSize: 4, maxBatchedTokenCount: 2)
        let id = world.add(Array(1...8)) { $0.maxTokens = 100 }
        world.run()
        #expect(world.outputs[id]?.count == 4 && world.reasons[id] == .length)
        #expect(world.brokenInvariants.isEmpty)
    }

    @Test("end and stop tokens end a request, but not before min_tokens, and not when ignored")
    func stopping() {
        let expected = SchedulerWorld.alone([1, 2], tokenCount: 6)
        var world = SchedulerWorld(blockCount: 8, blockSize: 4)
        let stopped = world.add([1, 2]) {
            $0.maxTokens = 6
            $0.stopTokenIDs = [expected[2]]
        }
        let patient = world.add([1, 2]) {
            $0.maxTokens = 6
            $0.minTokens = 4
            $0.endTokenIDs = [expected[2]]
        }
        world.run()
        #expect(world.outputs[stopped] == Array(expected.prefix(3)))
        #expect(world.reasons[stopped] == .stopToken(expected[2]))
        #expect(world.outputs[patient] == expected && world.reasons[patient] == .length)
    }

    @Test("max_tokens 0 scores every prompt position once and produces nothing")
    func scoring() {
        var world = SchedulerWorld(blockCount: 8, blockSize: 2, maxBatchedTokenCount: 7, maxScoredCount: 3)
        let prompt: [Int32] = [5, 6, 7, 8, 9, 10, 11]
        let warm = world.add(prompt) { $0.maxTokens = 1 }
        world.run()
        let id = world.add(prompt) {
            $0.maxTokens = 0
            $0.promptLogprobs = 0
        }
        world.run()
        #expect(world.outputs[id] == [] && world.reasons[id] == .length && world.reasons[warm] == .length)
        let expected = (0..<6).map { ScriptedExecutor.next(after: Array(prompt[...$0]), vocabularySize: 50) }
        #expect(world.scores[id] == expected)
        #expect(world.brokenInvariants.isEmpty)
    }

    @Test("an equal prefix is computed once")
    func prefixHit() {
        var world = SchedulerWorld(blockCount: 8, blockSize: 2)
        let first = world.add([1, 2, 3, 4, 5]) { $0.maxTokens = 1 }
        world.run()
        let second = world.add([1, 2, 3, 4, 6]) { $0.maxTokens = 1 }
        let step = world.step()
        #expect(step.scheduled[0].firstPosition == 4 && Array(step.scheduled[0].tokens) == [6])
        #expect(world.outputs[second] == SchedulerWorld.alone([1, 2, 3, 4, 6], tokenCount: 1))
        #expect(world.scheduler.statistics.prefixHitCount == 4)
        #expect(world.reasons[first] != nil)
    }

    @Test("an equal prefix under another salt, or none, is computed again", arguments: [nil, "ada", "grace"])
    func salts(salt: String?) {
        var world = SchedulerWorld(blockCount: 16, blockSize: 2)
        for other in [nil, "ada", "grace"] where other != salt {
            world.add([1, 2, 3, 4, 5], cacheSalt: other) { $0.maxTokens = 1 }
        }
        world.run()
        let cached = world.scheduler.statistics.prefixHitCount
        for expected in [0, 4] {
            world.add([1, 2, 3, 4, 6], cacheSalt: salt) { $0.maxTokens = 1 }
            #expect(world.step().scheduled[0].firstPosition == expected)
        }
        #expect(cached == 0 && world.scheduler.statistics.prefixHitCount == 4)
        #expect(world.brokenInvariants == [])
    }

    @Test("an aborted request's blocks are free before the next step")
    func abort() {
        var world = SchedulerWorld(blockCount: 4, blockSize: 2)
        let id = world.add([1, 2, 3]) { $0.maxTokens = 5 }
        world.step()
        #expect(world.scheduler.statistics.freeBlockCount == 2)
        let isAborted = world.abort(id)
        #expect(isAborted)
        #expect(world.scheduler.statistics.freeBlockCount == 4)
        let isAbortedAgain = world.abort(id)
        #expect(!isAbortedAgain)
        #expect(world.step().finished == [id])
    }

    @Test("a failed step ends its own requests only; the others compute again")
    func failedStep() {
        var scheduler = Scheduler(
            limits: SchedulerLimits(maxBatchedTokenCount: 3, maxSequenceCount: 4, maxModelLength: 16),
            cache: KVCacheManager(blockCount: 8, blockSize: 4), policy: FirstComeFirstServed())
        for id in 0..<2 as Range<UInt64> {
            scheduler.add(
                Request(
                    id: RequestID(id), prompt: [1, 2, 3], arrival: EngineInstant(nanoseconds: id)))
        }
        let output = scheduler.schedule(at: EngineInstant(nanoseconds: 9))
        #expect(output.scheduled.map(\.id) == [RequestID(0)])
        #expect(scheduler.failStep(output) == [RequestID(0)])
        #expect(scheduler.checkInvariants() == nil)
        #expect(scheduler.schedule(at: EngineInstant(nanoseconds: 10)).scheduled.map(\.id) == [RequestID(1)])
    }

    @Test("a step may produce several tokens; those after the one that ends the request are dropped")
    func severalTokens() {
        var sampling = SamplingParameters()
        sampling.maxTokens = 8
        sampling.minTokens = 2
        sampling.endTokenIDs = [9]
        var scheduler = Scheduler(
            limits: SchedulerLimits(maxBatchedTokenCount: 8, maxSequenceCount: 1, maxModelLength: 16),
            cache: KVCacheManager(blockCount: 8, blockSize: 4), policy: FirstComeFirstServed())
        scheduler.add(
            Request(
                id: RequestID(0), prompt: [1, 2, 3], attributes: RequestAttributes(sampling: sampling),
                arrival: EngineInstant(nanoseconds: 0)))
        var output = scheduler.schedule(at: EngineInstant(nanoseconds: 1))
        #expect(output.scheduled[0].outputCount == 0)
        // Before `min_tokens`, an end token is a token like any other.
        var progress = scheduler.update(
            output, with: ModelRunnerOutput(results: [StepResult(tokens: StepTokens([9, 4]))]))
        #expect(Array(progress[0].result.tokens) == [9, 4] && progress[0].outputCount == 2)
        #expect(progress[0].finish == nil)
        #expect(scheduler.checkInvariants() == nil)
        output = scheduler.schedule(at: EngineInstant(nanoseconds: 2))
        #expect(Array(output.scheduled[0].tokens) == [9, 4] && output.scheduled[0].outputCount == 2)
        #expect(output.scheduled[0].samplesNext)
        progress = scheduler.update(
            output, with: ModelRunnerOutput(results: [StepResult(tokens: StepTokens([5, 9, 6, 7]))]))
        #expect(Array(progress[0].result.tokens) == [5, 9] && progress[0].outputCount == 4)
        #expect(progress[0].finish == .stopToken(9))
        #expect(scheduler.isIdle && scheduler.checkInvariants() == nil)
    }
}
