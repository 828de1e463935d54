import KVCaching
import Requests
import Testing

@testable import Scheduling

@Suite("Scheduler")
struct SchedulerTests {
    @Test("a prompt is computed in chunks of the token budget, then one token a step, in exact blocks")
    func chunks() {
        var world = SchedulerWorld(blockCount: 8, blockSize: 4, maxBatchedTokenCount: 4)
        let id = world.add([1, 2, 3, 4, 5, 6]) { $0.maxTokens = 3 }
        let first = world.step()
        #expect(first.admitted.map(\.id) == [id] && first.admitted.first?.prompt == [1, 2, 3, 4, 5, 6])
        #expect(first.scheduled.map { Array($0.tokens) } == [[1, 2, 3, 4]])
        #expect(first.scheduled[0].blocks == [0] && !first.scheduled[0].samplesNext)
        let second = world.step()
        #expect(second.admitted.isEmpty)
        #expect(second.scheduled[0].firstPosition == 4 && Array(second.scheduled[0].tokens) == [5, 6])
        #expect(second.scheduled[0].blocks == [0, 1] && second.scheduled[0].samplesNext)
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

    @Test("the latest arrival gives way, keeps its tokens and computes them again")
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
                    id: RequestID(id), prompt: [1, 2, 3], sampling: SamplingParameters(),
                    arrival: EngineInstant(nanoseconds: id)))
        }
        let output = scheduler.schedule(at: EngineInstant(nanoseconds: 9))
        #expect(output.scheduled.map(\.id) == [RequestID(0)])
        #expect(scheduler.failStep(output) == [RequestID(0)])
        #expect(scheduler.checkInvariants() == nil)
        #expect(scheduler.schedule(at: EngineInstant(nanoseconds: 10)).scheduled.map(\.id) == [RequestID(1)])
    }

    /// A policy that answers nonsense: it drops, doubles and shuffles, and gives up requests that do not exist.
    struct Nonsense: SchedulerPolicy {
        var random = SplitMix64(seed: 1)

        mutating func order(_ waiting: inout [RequestView], at now: EngineInstant) {
            waiting = (waiting + waiting).shuffled(using: &random).dropLast(random.next(below: 2))
        }

        mutating func victim(among running: [RequestView], at now: EngineInstant) -> RequestID? {
            random.next(below: 2) == 0
                ? nil : random.next(below: 2) == 0 ? RequestID(999) : running.randomElement(using: &random)?.id
        }
    }

    /// Truth 3: whoever shares the step, however prompts are chunked, whoever is preempted or aborted, whatever the
    /// policy says, each request produces what it produces alone.
    @Test("random loads: everything finishes with the tokens it has alone", arguments: 0..<60)
    func neighbourIndependence(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let blockSize = [1, 2, 4, 16][seed % 4]
        let blockCount = max(2, 24 / blockSize) + random.next(below: 6)
        let longest = min(blockCount * blockSize, 30)
        var world = SchedulerWorld(
            blockCount: blockCount, blockSize: blockSize, maxBatchedTokenCount: 1 + random.next(below: 20),
            maxSequenceCount: 1 + random.next(below: 6), maxModelLength: longest, prefixCaching: seed % 5 != 0,
            policy: seed % 2 == 0 ? FirstComeFirstServed() : Nonsense())
        var prompts: [RequestID: [Int32]] = [:]
        var limits: [RequestID: Int] = [:]
        var aborted = Set<RequestID>()
        for _ in 0..<120 {
            if prompts.count < 40, random.next(below: 3) == 0 {
                let prompt = (0..<1 + random.next(below: longest - 1)).map { _ in Int32(random.next(below: 2)) }
                let maxTokens = 1 + random.next(below: 12)
                let id = world.add(prompt) { $0.maxTokens = maxTokens }
                prompts[id] = prompt
                limits[id] = min(maxTokens, longest - prompt.count)
            }
            if random.next(below: 12) == 0, let id = prompts.keys.sorted().randomElement(using: &random) {
                if world.abort(id) { aborted.insert(id) }
            }
            world.step()
        }
        world.run()
        #expect(world.brokenInvariants == [])
        for (id, prompt) in prompts {
            let alone = SchedulerWorld.alone(prompt, tokenCount: limits[id] ?? 0)
            if aborted.contains(id) {
                #expect(alone.starts(with: world.outputs[id] ?? []))
            } else {
                #expect(world.outputs[id] == alone)
            }
        }
    }
}

/// A seeded generator (Steele, Lea and Flood, OOPSLA 2014), so that a failing run can be repeated.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func next(below bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}
