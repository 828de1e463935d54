import Requests
import Scheduling
import SchedulingConformance
import Testing

/// The order in which each policy admits the requests of one world.
@Suite("Policies")
struct PolicyTests {
    /// A world in which one request runs at a time and each takes a few steps.
    private func world(_ policy: any SchedulerPolicy, maxSequenceCount: Int = 1) -> SchedulerWorld {
        SchedulerWorld(
            blockCount: 64, blockSize: 4, maxSequenceCount: maxSequenceCount, maxModelLength: 64, policy: policy)
    }

    @Test("fcfs: by arrival")
    func fcfs() {
        var world = world(FirstComeFirstServed())
        let ids = [3, 1, 2].map { priority in world.add([1, 2], priority: priority) { $0.maxTokens = 2 } }
        world.run()
        #expect(world.admissionOrder == ids)
    }

    /// The example in the documentation of `SchedulerPolicy`.
    private struct ShortestPromptFirst: SchedulerPolicy {
        func queuePosition(of request: RequestView, at now: EngineInstant) -> QueuePosition {
            QueuePosition(rank: Double(request.promptCount))
        }

        func victimRank(of running: RequestView, at now: EngineInstant) -> Double {
            Double(running.promptCount)
        }
    }

    @Test("the documentation's example admits the shortest prompt first")
    func example() {
        var world = world(ShortestPromptFirst())
        let ids = [30, 10, 20].map { count in world.add(Array(repeating: 1, count: count)) { $0.maxTokens = 2 } }
        world.run()
        #expect(world.admissionOrder == [ids[1], ids[2], ids[0]])
        #expect(world.scheduler.statistics.policyFailures == PolicyFailures() && world.brokenInvariants == [])
    }

    @Test("priority: the lower first, and over a running one")
    func priority() {
        var world = world(PriorityFirst(ageingSeconds: 10))
        let slow = world.add([1, 2], priority: 5) { $0.maxTokens = 20 }
        world.step()
        let (later, urgent) = (world.add([3], priority: 5), world.add([4], priority: 1))
        #expect(world.step().preempted == [slow])
        world.run()
        #expect(world.admissionOrder == [slow, urgent, later])
        #expect(world.outputs[slow] == SchedulerWorld.alone([1, 2], tokenCount: 20))
    }

    @Test("priority: waiting long makes up for it")
    func ageing() {
        var world = world(PriorityFirst(ageingSeconds: 0.002))
        let first = world.add([1], priority: 0) { $0.maxTokens = 10 }
        world.step()
        let patient = world.add([2], priority: 3)
        for _ in 0..<8 { world.step() }
        let late = world.add([3], priority: 0)
        world.run()
        #expect(world.admissionOrder == [first, patient, late])
    }

    @Test("priority: running requests skip steps for urgent ones, but in the long run one of four at most")
    func skipping() {
        var world = world(PriorityFirst(ageingSeconds: 1000), maxSequenceCount: 16)
        let slow = (0..<6).map { index in world.add([1, Int32(index)], priority: 5) { $0.maxTokens = 40 } }
        world.step()
        #expect(world.step().scheduled.map(\.id) == slow)
        var skipped: [Bool] = []
        for index in 0..<24 {
            let urgent = world.add([3, Int32(index)], priority: 1) { $0.maxTokens = 1 }
            let late = world.add([4, Int32(index)], priority: 6) { $0.maxTokens = 1 }
            let ran = world.step().scheduled.map(\.id)
            // The first of the running requests always goes on; no less urgent request joins a step that others skip.
            skipped.append(ran == [slow[0], urgent])
            #expect(
                skipped[index] || ran == slow + [urgent] || (ran.starts(with: slow + [urgent]) && ran.contains(late)))
        }
        #expect(skipped[..<4].allSatisfy { $0 } && !skipped.suffix(16).allSatisfy { $0 })
        #expect(skipped.suffix(16).count { $0 } == 4)
        world.run()
        for index in slow.indices {
            #expect(
                world.outputs[slow[index]] == SchedulerWorld.alone([1, Int32(index)], tokenCount: 40))
        }
        #expect(world.brokenInvariants.isEmpty)
    }

    @Test("a share for prompts does not cut the prompt for which others skip a step, and cuts others'")
    func wholeUrgentPrompt() {
        let policy = AdjustedPolicy(PriorityFirst(ageingSeconds: 1000), promptShare: 0.125)
        var world = world(policy, maxSequenceCount: 8)
        for index in 0..<3 { world.add([1, Int32(index)], priority: 5) { $0.maxTokens = 40 } }
        for _ in 0..<4 { world.step() }
        // An eighth of 64 tokens, and all of them.
        for (priority, tokenCount) in [(5, 8), (1, 30)] {
            let id = world.add((0..<30).map { Int32($0 + priority) }, priority: priority) { $0.maxTokens = 1 }
            #expect(world.step().scheduled.first { $0.id == id }?.tokens.count == tokenCount)
        }
        world.run()
        #expect(world.brokenInvariants.isEmpty)
    }

    @Test("priority: no request skips a step for one that is not more urgent")
    func noSkipping() {
        var world = world(PriorityFirst(ageingSeconds: 1000), maxSequenceCount: 8)
        let running = (0..<4).map { world.add([1, Int32($0)], priority: 1) { $0.maxTokens = 9 } }
        world.step()
        for priority in [1, 2] {
            let new = world.add([2], priority: priority)
            #expect(world.step().scheduled.map(\.id).prefix(4) == running[...] && world.admissionOrder.last == new)
        }
    }

    @Test("sjf: learns whose answers are short")
    func shortest() {
        var world = world(ShortestJobFirst(ageingSeconds: 1000))
        for _ in 0..<4 {
            world.add([1, 2], tenant: "long") { $0.maxTokens = 30 }
            world.add([3, 4], tenant: "short") { $0.maxTokens = 2 }
        }
        world.run()
        // Limits are equal now: only the learnt lengths differ.
        let blocker = world.add([9], tenant: "long") { $0.maxTokens = 40 }
        world.step()
        let long = world.add([5, 6], tenant: "long") { $0.maxTokens = 40 }
        let short = world.add([7, 8], tenant: "short") { $0.maxTokens = 40 }
        world.run()
        #expect(world.admissionOrder.suffix(3) == [blocker, short, long])
    }

    @Test("mlfq: a request that produced much sinks and is preempted; a long prompt starts lower")
    func feedback() {
        let policy = MultiLevelFeedback(levelCount: 3, quantumTokens: 2, ageingSeconds: 100)
        var world = SchedulerWorld(
            blockCount: 256, blockSize: 4, maxBatchedTokenCount: 256, maxSequenceCount: 1, policy: policy)
        let long = world.add([1]) { $0.maxTokens = 20 }
        for _ in 0..<3 { world.step() }
        let bulky = world.add(Array(repeating: 7, count: 120)) { $0.maxTokens = 1 }
        let short = world.add([2]) { $0.maxTokens = 1 }
        #expect(world.step().scheduled.map(\.id) == [short])
        world.run()
        #expect(world.admissionOrder == [long, short, bulky])
        #expect(world.outputs[long] == SchedulerWorld.alone([1], tokenCount: 20))
    }

    @Test("fair: tenants take turns by service, in proportion to their weights")
    func fair() {
        var world = world(FairShare(weights: ["heavy": 2]))
        for _ in 0..<12 { world.add([1, 2], tenant: "flood") { $0.maxTokens = 4 } }
        for _ in 0..<12 { world.add([3, 4], tenant: "heavy") { $0.maxTokens = 4 } }
        world.run()
        let heavy = world.admissionOrder.prefix(12).count { $0.rawValue >= 12 }
        #expect(heavy == 8)
    }

    @Test("fair: a tenant that was away has no service saved up")
    func lift() {
        var world = world(FairShare())
        for _ in 0..<8 { world.add([1, 2], tenant: "busy") { $0.maxTokens = 4 } }
        for _ in 0..<16 { world.step() }
        let before = world.admissionOrder.count
        for _ in 0..<4 { world.add([3, 4], tenant: "back") { $0.maxTokens = 4 } }
        world.run()
        // Lifted to the least counter, the two alternate; without the lift, all four of "back" would come first.
        #expect(world.admissionOrder.dropFirst(before).prefix(4).count { $0.rawValue < 8 } == 2)
    }

    @Test("deadline: the earliest first, those without one by the default")
    func deadline() {
        var world = world(EarliestDeadlineFirst(target: .firstToken, defaultSeconds: 5))
        let blocker = world.add([1]) { $0.maxTokens = 4 }
        world.step()
        let relaxed = world.add([2], deadlineSeconds: 10)
        let plain = world.add([3])
        let tight = world.add([4], deadlineSeconds: 1)
        world.run()
        #expect(world.admissionOrder == [blocker, tight, plain, relaxed])
    }

    @Test("deadline: a request that cannot meet its deadline is refused with a reason, one without a deadline never")
    func shedding() {
        var world = world(EarliestDeadlineFirst(target: .firstToken, defaultSeconds: 0.001))
        let blocker = world.add([1]) { $0.maxTokens = 50 }
        world.step()
        let (late, plain) = (world.add([2], deadlineSeconds: 0.01), world.add([3]))
        world.run()
        guard case .rejected(let reason)? = world.reasons[late] else {
            Issue.record("\(String(describing: world.reasons[late]))")
            return
        }
        #expect(!reason.isEmpty)
        #expect(world.reasons[plain] == .length && world.reasons[blocker] == .length)
    }

    @Test("prefix: the longest cached first, but no request is passed over more often than the window is wide")
    func prefix() {
        var world = world(LongestPrefixFirst(window: 4))
        let shared: [Int32] = Array(1...16)
        let warm = world.add(shared + [20]) { $0.maxTokens = 20 }
        world.step()
        let plain = world.add(Array(30...40)) { $0.maxTokens = 1 }
        let similar = (0..<8).map { index in world.add(shared + [Int32(21 + index)]) { $0.maxTokens = 1 } }
        world.run()
        #expect(world.admissionOrder == [warm] + similar.prefix(4) + [plain] + similar.dropFirst(4))
    }

    @Test("victim rules: each preempts the request that it describes")
    func victims() {
        let views = [
            RequestView(
                id: RequestID(1), arrival: EngineInstant(nanoseconds: 9), priority: 1, promptCount: 4,
                computedCount: 9, blockCount: 3),
            RequestView(
                id: RequestID(2), arrival: EngineInstant(nanoseconds: 5), priority: 7, promptCount: 4,
                computedCount: 8, blockCount: 2),
            RequestView(
                id: RequestID(3), arrival: EngineInstant(nanoseconds: 6), priority: 2, promptCount: 4,
                computedCount: 2, blockCount: 1),
            RequestView(
                id: RequestID(4), arrival: EngineInstant(nanoseconds: 7), priority: 3, promptCount: 4,
                computedCount: 7, blockCount: 9),
        ]
        let chosen = VictimRule.allCases.map { rule in
            views.max { rule.rank(of: $0) < rule.rank(of: $1) }?.id.rawValue
        }
        #expect(chosen == [1, 2, 3, 4])
    }

    @Test("a share for prompts leaves room for running answers, and is whole when nothing runs")
    func promptShare() {
        var world = SchedulerWorld(
            blockCount: 64, blockSize: 4, maxBatchedTokenCount: 10, maxSequenceCount: 4,
            policy: AdjustedPolicy(FirstComeFirstServed(), victims: nil, promptShare: 0.3))
        let answering = world.add(Array(1...10)) { $0.maxTokens = 20 }
        #expect(world.step().scheduled.map(\.tokens.count) == [10])
        let long = world.add(Array(1...20).reversed()) { $0.maxTokens = 1 }
        for _ in 0..<3 {
            let step = world.step()
            #expect(step.scheduled.map(\.id) == [answering, long] && step.scheduled.map(\.tokens.count) == [1, 3])
        }
        world.run()
        #expect(world.brokenInvariants == [])
    }
}
