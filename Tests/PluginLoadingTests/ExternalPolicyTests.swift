import PluginLoading
import Requests
import Scheduling
import SchedulingConformance
import Testing

/// Policies in Swift and in C, each built from `Tests/Plugins` and loaded: held to what holds for our own.
@Suite("Policies from outside")
struct ExternalPolicyTests {
    /// Long enough for a busy machine: only what a test means to be late is.
    static let patience = 30_000

    /// The two examples, as an author builds them.
    enum Example: String, CaseIterable {
        case swift, c

        func library() throws -> PluginLibrary {
            switch self {
            case .swift: try PluginLibrary(path: BuiltPlugin.swift("ShortestPrompt"))
            case .c: try PluginLibrary(path: BuiltPlugin.c("two_classes.c"))
            }
        }
    }

    @Test("the examples pass every case of the conformance suite", arguments: Example.allCases)
    func conformance(_ example: Example) async throws {
        let library = try example.library()
        let conformance = PolicyConformance { Self.policy(library) }
        for trial in PolicyConformance.cases(randomCount: 20) {
            let result = conformance.run(trial)
            #expect(result.hasPassed, "\(example): \(result)")
            await Task.yield()
        }
    }

    /// A policy of `library`.
    private static func policy(_ library: PluginLibrary, _ options: [String: String] = [:]) -> any SchedulerPolicy {
        do {
            return try library.makePolicy(options: options, budgetMilliseconds: patience)
        } catch {
            Issue.record("\(error)")
            return FirstComeFirstServed()
        }
    }

    private func world(_ policy: any SchedulerPolicy) -> SchedulerWorld {
        SchedulerWorld(blockCount: 64, blockSize: 4, maxBatchedTokenCount: 256, maxSequenceCount: 1, policy: policy)
    }

    @Test("shortest_prompt, in Swift: the shortest goes first; waiting counts as the option says")
    func shortestPrompt() throws {
        let library = try Example.swift.library()
        #expect(library.policyName == "shortest_prompt")
        for (rate, order) in [("0", [2, 1, 0]), ("1e6", [0, 1, 2])] {
            var world = world(Self.policy(library, ["tokens_per_second": rate]))
            // The first step admits one; the others wait, of three lengths, a millisecond apart.
            world.add([9]) { $0.maxTokens = 8 }
            world.step()
            let ids = [30, 20, 10].map { count in
                world.step()
                return world.add(Array(repeating: 1, count: count)) { $0.maxTokens = 1 }
            }
            world.run()
            #expect(Array(world.admissionOrder.dropFirst()) == order.map { ids[$0] }, "\(rate)")
            #expect(world.scheduler.statistics.policyFailures == PolicyFailures())
            #expect(world.brokenInvariants == [])
        }
    }

    @Test("two_classes, in C: one admission in three goes to the long prompts, by its state and its options")
    func twoClasses() throws {
        let library = try Example.c.library()
        #expect(library.policyName == "two_classes")
        var world = world(Self.policy(library, ["long_tokens": "20", "share": "3"]))
        let long = (0..<3).map { _ in world.add(Array(repeating: 1, count: 25), tenant: "a") { $0.maxTokens = 1 } }
        let short = (0..<5).map { _ in world.add([1, 2], tenant: "b") { $0.maxTokens = 1 } }
        world.run()
        let expected = [short[0], short[1], long[0], short[2], short[3], long[1], short[4], long[2]]
        #expect(world.admissionOrder == expected)
        #expect(world.scheduler.statistics.policyFailures == PolicyFailures())
    }
}
