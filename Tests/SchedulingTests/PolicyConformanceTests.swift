import Requests
import Scheduling
import SchedulingConformance
import Testing

/// Each request produces the tokens that it produces alone, whatever requests share its steps, however prompts are
/// chunked, whichever requests are preempted or aborted, and whatever the policy decides.
@Suite("Policies, conformance")
struct PolicyConformanceTests {
    static let policies: [String: @Sendable () -> any SchedulerPolicy] = [
        "fcfs": { FirstComeFirstServed() },
        "priority": { PriorityFirst(ageingSeconds: 0.5) },
        "sjf": { ShortestJobFirst(ageingSeconds: 0.5) },
        "mlfq": { MultiLevelFeedback(levelCount: 3, quantumTokens: 2, ageingSeconds: 0.05) },
        "fair": { FairShare(weights: ["a": 2, "b": 0.5]) },
        "deadline, first token": { EarliestDeadlineFirst(target: .firstToken, defaultSeconds: 0.1) },
        "deadline, finish": { EarliestDeadlineFirst(target: .finish, defaultSeconds: 0.1) },
        "prefix": { LongestPrefixFirst(window: 8) },
        "last_arrived, few prompts": {
            AdjustedPolicy(FirstComeFirstServed(), victims: .lastArrived, promptShare: 0.1)
        },
        "lowest_priority": { AdjustedPolicy(FirstComeFirstServed(), victims: .lowestPriority) },
        "least_computed": { AdjustedPolicy(ShortestJobFirst(ageingSeconds: 1), victims: .leastComputed) },
        "most_blocks": { AdjustedPolicy(LongestPrefixFirst(window: 4), victims: .mostBlocks, promptShare: 0.5) },
        "nonsense": { Nonsense() },
        "obstruction": { Obstruction() },
        "newest first": { NewestFirst() },
        "refusal": { Refusal() },
    ]

    @Test("every policy, ours or hostile, passes every case", arguments: policies.keys.sorted())
    func passes(_ name: String) async throws {
        let conformance = PolicyConformance(try #require(Self.policies[name]))
        for trial in PolicyConformance.cases() {
            let result = conformance.run(trial)
            #expect(result.hasPassed, "\(name): \(result)")
            // Other tests wait for these threads.
            await Task.yield()
        }
    }
}
