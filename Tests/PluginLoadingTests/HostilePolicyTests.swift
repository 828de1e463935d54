import Foundation
import PluginLoading
import Requests
import Scheduling
import SchedulingConformance
import Testing

/// What a policy from outside may do wrong: each time it is reported, `fcfs` decides, and the tokens are the same.
@Suite("Policies from outside, hostile", .serialized)
struct HostilePolicyTests {
    private static func policy(_ mode: String, budgetMilliseconds: Int) throws -> any SchedulerPolicy {
        try PluginLibrary(path: BuiltPlugin.c("hostile.c")).makePolicy(
            options: ["mode": mode], budgetMilliseconds: budgetMilliseconds)
    }

    /// A load that asks for every decision: more requests than fit, with room to swap.
    private static func world(_ policy: any SchedulerPolicy) -> SchedulerWorld {
        var world = SchedulerWorld(
            blockCount: 12, blockSize: 2, maxSequenceCount: 4, maxPreemptionCount: 3, swapBlockCount: 12,
            policy: policy)
        for index in 0..<6 {
            world.add([Int32(index), 7, 8], tenant: "tenant \(index)") { $0.maxTokens = 12 }
            world.step()
        }
        return world
    }

    /// Runs a load to its end: every request has the tokens that it has without the others.
    private static func finish(_ world: inout SchedulerWorld) {
        world.run()
        #expect(world.brokenInvariants == [])
        for (id, output) in world.outputs {
            #expect(output == SchedulerWorld.alone([Int32(id.rawValue), 7, 8], tokenCount: 12), "\(id)")
        }
    }

    @Test(
        "errors and nonsense are counted by decision, with the reason",
        arguments: [
            ("error", PolicyDecision.queuePosition, "policy \"hostile\" failed: out of ideas"),
            ("error", .decide, "out of ideas"), ("error", .share, "out of ideas"),
            ("error", .victimRanks, "out of ideas"), ("error", .preempts, "out of ideas"),
            ("error", .preemptionMode, "out of ideas"), ("error", .progressed, "out of ideas"),
            ("mute", .decide, "policy \"hostile\" failed: status 1"),
            ("unterminated", .decide, String(repeating: "x", count: 256)), ("nan", .queuePosition, "by nan"),
            ("nan", .victimRanks, "one by nan"), ("infinite", .queuePosition, "by inf"),
            ("unknown", .decide, "admits request 18446744073709551615, which does not wait"),
            ("nothing", .decide, "decision of kind -1"), ("kind", .decide, "decision of kind 77"),
            ("kind", .preempts, "preempts 3"), ("kind", .preemptionMode, "preemption mode -9"),
            ("silent_refusal", .decide, "without a reason"), ("negative", .share, "shares -9223372036854775808"),
            ("deaf", .arrived, "status 1"), ("deaf", .admitted, "status 1"), ("deaf", .progressed, "status 1"),
        ])
    func nonsense(_ mode: String, _ decision: PolicyDecision, _ reason: String) throws {
        var world = Self.world(try Self.policy(mode, budgetMilliseconds: ExternalPolicyTests.patience))
        var sentences: Set<String> = []
        while !world.scheduler.isIdle {
            world.step()
            if let message = world.scheduler.statistics.policyFailures.lastMessage { sentences.insert(message) }
        }
        Self.finish(&world)
        #expect(world.scheduler.statistics.policyFailures.count(of: decision) > 0)
        // The last one of each step is seen only; that one of them is this one is certain where it fails alone.
        let isAlone = !["error", "nan", "kind", "deaf"].contains(mode)
        #expect(!isAlone || sentences.contains { $0.contains(reason) }, "\(sentences)")
    }

    @Test("hostile plugins pass the conformance suite", arguments: ["error", "nan", "unknown", "kind", "negative"])
    func conformance(_ mode: String) async throws {
        let library = try PluginLibrary(path: BuiltPlugin.c("hostile.c"))
        let conformance = PolicyConformance {
            do {
                return try library.makePolicy(
                    options: ["mode": mode], budgetMilliseconds: ExternalPolicyTests.patience)
            } catch {
                Issue.record("\(error)")
                return FirstComeFirstServed()
            }
        }
        for trial in PolicyConformance.cases(randomCount: 4) where !trial.name.hasPrefix("crowd") {
            #expect(conformance.run(trial).hasPassed, "\(mode): \(trial.name)")
            await Task.yield()
        }
    }

    @Test("a policy that sleeps past its budget costs that decision: fcfs decides, and the late answer is not used")
    func sleeps() throws {
        var world = Self.world(try Self.policy("sleep", budgetMilliseconds: 2))
        Self.finish(&world)
        let failures = world.scheduler.statistics.policyFailures
        #expect(failures.count > 0)
        // Late or busy, never anything else.
        #expect(failures.lastMessage?.contains("policy \"hostile\"") == true)
        // The mode admits the newest of the candidates; only fcfs goes by arrival.
        #expect(world.admissionOrder == world.admissionOrder.sorted())
    }

    @Test("events are delivered without a question; a stuck policy is not asked any more when too many wait for it")
    func events() throws {
        let view = RequestView(id: RequestID(1), arrival: EngineInstant(nanoseconds: 0), promptCount: 1)
        let progress = StepProgress(computedCount: 1, recomputedCount: 0, producedCount: 1)
        func post(to policy: inout any SchedulerPolicy, rounds: Int, pauseSeconds: Double) throws {
            for round in 0..<rounds {
                for _ in 0..<1000 {
                    try policy.progressed(view, by: progress, at: EngineInstant(nanoseconds: UInt64(round)))
                }
                Thread.sleep(forTimeInterval: pauseSeconds)
            }
        }
        var listener = try Self.policy("none", budgetMilliseconds: ExternalPolicyTests.patience)
        try post(to: &listener, rounds: 140, pauseSeconds: 0.01)
        try Self.whileStuck {
            var stuck = try Self.policy("stuck", budgetMilliseconds: 20)
            #expect(throws: PluginError.givenUp(policy: "hostile")) {
                try post(to: &stuck, rounds: 1000, pauseSeconds: 0)
            }
        }
    }

    /// Runs `body` while policies of mode `stuck` do not return.
    private static func whileStuck(_ body: () throws -> Void) throws {
        let handle = try #require(dlopen(BuiltPlugin.c("hostile.c"), RTLD_NOW))
        let isReleased = try #require(dlsym(handle, "hostile_is_released")).assumingMemoryBound(to: Int32.self)
        isReleased.pointee = 0
        defer { isReleased.pointee = 1 }
        try body()
    }

    @Test("a policy that never returns is not waited for again; it decides again once it has come back")
    func stuck() throws {
        var world = Self.world(FirstComeFirstServed())
        try Self.whileStuck {
            world = Self.world(try Self.policy("stuck", budgetMilliseconds: 20))
            Self.finish(&world)
            let stuck = world.scheduler.statistics.policyFailures
            #expect(stuck.lastMessage == "policy \"hostile\" still works on an earlier question")
            #expect(stuck.count > 20)
        }
        // Busy until its thread has noticed.
        var busy = world.scheduler.statistics.policyFailures.count
        for _ in 0..<10_000 {
            world.add([1]) { $0.maxTokens = 1 }
            world.run()
            let failures = world.scheduler.statistics.policyFailures
            if failures.count == busy { return }
            busy = failures.count
            Thread.sleep(forTimeInterval: 0.001)
        }
        Issue.record("it never decides again: \(world.scheduler.statistics.policyFailures)")
    }
}
