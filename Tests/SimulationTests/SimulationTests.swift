import Scheduling
import SharedValues
import Testing

@testable import Simulation

@Suite("Simulation")
struct SimulationTests {
    static let cost = StepCost(
        fixedSeconds: 1, promptTokenSeconds: 0.1, sequenceSeconds: 0.01, contextTokenSeconds: 0.001)

    static func setup(
        blockCount: Int = 64, blockSize: Int = 4, sequences: Int = 4, budget: Int = 64, length: Int = 128
    ) -> SimulationSetup {
        SimulationSetup(
            limits: SchedulerLimits(
                maxBatchedTokenCount: budget, maxSequenceCount: sequences, maxModelLength: length),
            blockCount: blockCount, blockSize: blockSize, cost: cost)
    }

    /// Requests as given.
    struct List: Trace {
        var requests: [TraceRequest]
        mutating func next() -> TraceRequest? { requests.isEmpty ? nil : requests.removeFirst() }
    }

    static func run(
        _ requests: [TraceRequest], _ setup: SimulationSetup, _ policy: any SchedulerPolicy = FirstComeFirstServed()
    ) throws -> PolicyReport {
        var trace = List(requests: requests)
        return try Simulation(setup, policy: policy, named: "p").run(&trace)
    }

    @Test("one request takes exactly what its steps cost")
    func oneRequest() throws {
        let report = try Self.run(
            [TraceRequest(arrivalSeconds: 5, promptCount: 10, outputCount: 3)], Self.setup())
        // A prompt of 10, then contexts of 11 and 12 with one sequence each.
        let first = 1 + 10 * 0.1 + 10 * 0.001
        let rest = 2 * (1 + 0.01) + 23 * 0.001
        #expect(report.requests.finished == 1 && report.stepCount == 3 && report.tokens.output == 3)
        #expect(abs(report.timeToFirstToken.max - first) < 1e-6)
        #expect(abs(report.endToEnd.max - first - rest) < 1e-6)
        #expect(abs(report.seconds - 5 - first - rest) < 1e-6)
        #expect(abs(report.perOutputToken.max - (first + rest) / 3) < 1e-6)
    }

    @Test("a request that arrives during a step waits for its end")
    func arrivalDuringStep() throws {
        let report = try Self.run(
            [
                TraceRequest(arrivalSeconds: 0, promptCount: 10, outputCount: 1),
                TraceRequest(arrivalSeconds: 0.5, promptCount: 10, outputCount: 1),
            ], Self.setup())
        #expect(abs(report.timeToFirstToken.max - (2 * 2.01 - 0.5)) < 1e-6)
    }

    @Test("requests that cannot fit or find the queue full are refused and counted")
    func refusals() throws {
        var setup = Self.setup(sequences: 1)
        setup.maxWaitingCount = 2
        var requests = (0..<5).map { _ in TraceRequest(arrivalSeconds: 0, promptCount: 4, outputCount: 2) }
        requests.append(TraceRequest(arrivalSeconds: 0, promptCount: 128, outputCount: 2))
        let report = try Self.run(requests, setup)
        #expect(report.requests.queueFull == 3 && report.requests.tooLong == 1 && report.requests.finished == 2)
    }

    @Test("a shared prefix is found, and another one is not")
    func prefixes() throws {
        func request(_ arrival: Double, _ prefix: String) -> TraceRequest {
            var request = TraceRequest(arrivalSeconds: arrival, promptCount: 20, outputCount: 1)
            request.prefixID = prefix
            request.prefixCount = 12
            return request
        }
        let report = try Self.run([request(0, "a"), request(50, "a"), request(100, "b")], Self.setup())
        #expect(report.tokens.prefixHit == 12)
    }

    @Test("a deadline that cannot be met is refused under deadline, and missed under fcfs")
    func deadlines() throws {
        let requests = (0..<12).map { index in
            var request = TraceRequest(arrivalSeconds: Double(index) * 0.1, promptCount: 10, outputCount: 20)
            request.deadlineSeconds = 30
            return request
        }
        let setup = Self.setup(sequences: 1)
        let late = try Self.run(requests, setup)
        let shed = try Self.run(requests, setup, EarliestDeadlineFirst(target: .firstToken, defaultSeconds: 10))
        #expect(late.requests.finished == 12 && late.deadlines.count == 12)
        #expect(late.deadlines.firstTokenMet == 2)
        #expect(shed.requests.rejected == 10 && shed.requests.finished == 2)
        #expect(shed.deadlines.firstTokenMet == 2 && shed.deadlines.count == 12)
    }

    @Test("the same trace gives the same figures again, and every policy finishes everything")
    func repeatable() throws {
        let policies: [any SchedulerPolicy] = [
            FirstComeFirstServed(), PriorityFirst(ageingSeconds: 100), ShortestJobFirst(ageingSeconds: 100),
            MultiLevelFeedback(levelCount: 4, quantumTokens: 8, ageingSeconds: 100), FairShare(),
            LongestPrefixFirst(window: 8),
        ]
        let parameters = try SyntheticParameters(
            "count=300,rate=2,max_length=120,lengths=alpaca,tenants=3,urgent=0.3,prefixes=2,prefix_tokens=8")
        for policy in policies {
            var (first, second) = (SyntheticTrace(parameters), SyntheticTrace(parameters))
            let setup = Self.setup(blockCount: 40)
            let report = try Simulation(setup, policy: policy, named: "p").run(&first)
            let again = try Simulation(setup, policy: policy, named: "p").run(&second)
            #expect(report.requests.finished == 300)
            #expect(report.seconds == again.seconds && report.stepCount == again.stepCount)
            #expect(report.preemptionCount == again.preemptionCount && report.tokens.output == again.tokens.output)
            #expect(report.cache.maxUse <= 1 && report.tokens.prefixHit > 0)
        }
    }

    @Test("groups with windows take fewer blocks, so fewer requests give way")
    func cacheGroups() throws {
        let requests = (0..<20).map { _ in TraceRequest(arrivalSeconds: 0, promptCount: 20, outputCount: 60) }
        var setup = Self.setup(blockCount: 160, blockSize: 4, sequences: 8, budget: 32)
        setup.groups = Array(repeating: CacheGroup(blockSize: 4), count: 3)
        let full = try Self.run(requests, setup)
        setup.groups = Array(repeating: CacheGroup(blockSize: 4, slidingWindow: 8), count: 2) + setup.groups.prefix(1)
        let sliding = try Self.run(requests, setup)
        #expect(full.requests.finished == 20 && sliding.requests.finished == 20)
        #expect(full.preemptionCount > sliding.preemptionCount && full.seconds > sliding.seconds)
        #expect(sliding.cache.maxUse <= 1 && sliding.cache.waste > 0 && sliding.cache.waste < 0.5)
    }

    @Test("two tenants that both wait: fair keeps the proven bound, fcfs does not")
    func fairness() throws {
        // One floods, the other sends as many later; each alone would fill the engine.
        let requests = (0..<400).map { index in
            var request = TraceRequest(arrivalSeconds: 0, promptCount: 8, outputCount: 16)
            request.tenant = index < 300 ? "flood" : "calm"
            return request
        }
        let setup = Self.setup(blockCount: 64, blockSize: 4, sequences: 8)
        let fair = try Self.run(requests, setup, FairShare())
        let fcfs = try Self.run(requests, setup)
        // Theorem 4.4: twice the larger of one prompt and all that a batch holds, in weighted tokens.
        let bound = 2 * max(1 * 128, 2 * 64 * 4)
        #expect(fair.fairnessGap <= Double(bound))
        #expect(fcfs.fairnessGap > 3 * Double(bound))
    }
}
