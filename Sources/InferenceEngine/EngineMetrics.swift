public import CoreMetrics
import Requests
import Scheduling
import SharedValues

/// The engine's metrics, under vLLM's names.
public struct EngineMetrics: Sendable {
    private let running: Meter
    private let waiting: Meter
    private let cacheUsage: Meter
    private let promptTokens: Counter
    private let generationTokens: Counter
    private let preemptions: Counter
    private let prefixQueries: Counter
    private let prefixHits: Counter
    private let swapped: Meter
    private let swapUsage: Meter
    private let swappedPrefixQueries: Counter
    private let swappedPrefixHits: Counter
    private let movedOut: Counter
    private let movedIn: Counter
    private let deviceExperts: Counter
    private let hostExperts: Counter
    private let timeToFirstToken: Recorder
    private let interTokenLatency: Recorder
    private let endToEndLatency: Recorder
    private let queueTime: Recorder
    private let successes: [String: Counter]
    private let policyFailures: [PolicyDecision: Counter]

    /// Nil where no adapters are served.
    var adapters: AdapterMetrics?

    /// Handles made by `factory`, labelled with the model's name; failures of the policy with its name. Times are in
    /// seconds. `maxLoras` is the number of slots for adapters.
    public init(factory: any MetricsFactory, modelName: String, policyName: String, maxLoras: Int = 0) {
        adapters = maxLoras > 0 ? AdapterMetrics(maxLoras: maxLoras, factory: factory) : nil
        let labels = [("model_name", modelName)]
        func meter(_ name: String) -> Meter { Meter(label: "vllm:" + name, dimensions: labels, factory: factory) }
        func counter(_ name: String) -> Counter { Counter(label: "vllm:" + name, dimensions: labels, factory: factory) }
        func histogram(_ name: String) -> Recorder {
            Recorder(label: "vllm:" + name, dimensions: labels, aggregate: true, factory: factory)
        }
        running = meter("num_requests_running")
        waiting = meter("num_requests_waiting")
        cacheUsage = meter("kv_cache_usage_perc")
        promptTokens = counter("prompt_tokens_total")
        generationTokens = counter("generation_tokens_total")
        preemptions = counter("num_preemptions_total")
        prefixQueries = counter("prefix_cache_queries_total")
        prefixHits = counter("prefix_cache_hits_total")
        swapped = meter("num_requests_swapped")
        swapUsage = meter("cpu_cache_usage_perc")
        swappedPrefixQueries = counter("external_prefix_cache_queries_total")
        swappedPrefixHits = counter("external_prefix_cache_hits_total")
        movedOut = Counter(label: "quire:swapped_out_blocks_total", dimensions: labels, factory: factory)
        movedIn = Counter(label: "quire:swapped_in_blocks_total", dimensions: labels, factory: factory)
        func experts(_ memory: String) -> Counter {
            Counter(label: "quire:expert_rows_total", dimensions: labels + [("memory", memory)], factory: factory)
        }
        deviceExperts = experts("device")
        hostExperts = experts("host")
        timeToFirstToken = histogram("time_to_first_token_seconds")
        interTokenLatency = histogram("inter_token_latency_seconds")
        endToEndLatency = histogram("e2e_request_latency_seconds")
        queueTime = histogram("request_queue_time_seconds")
        successes = Dictionary(
            uniqueKeysWithValues: ["stop", "length", "abort", "error"].map { reason in
                (
                    reason,
                    Counter(
                        label: "vllm:request_success_total", dimensions: labels + [("finished_reason", reason)],
                        factory: factory)
                )
            })
        policyFailures = Dictionary(
            uniqueKeysWithValues: PolicyDecision.allCases.map { decision in
                (
                    decision,
                    Counter(
                        label: "quire:policy_failures_total",
                        dimensions: labels + [("policy", policyName), ("decision", decision.rawValue)],
                        factory: factory)
                )
            })
        publish(SchedulerStatistics(), since: SchedulerStatistics())
    }

    /// Publishes the scheduler's gauges, and what its counters gained.
    func publish(_ now: SchedulerStatistics, since before: SchedulerStatistics) {
        running.set(now.runningCount)
        waiting.set(now.waitingCount)
        cacheUsage.set(now.cacheUsage)
        preemptions.increment(by: now.preemptionCount - before.preemptionCount)
        prefixQueries.increment(by: now.prefixQueryCount - before.prefixQueryCount)
        prefixHits.increment(by: now.devicePrefixHitCount - before.devicePrefixHitCount)
        swapped.set(now.swappedCount)
        swapUsage.set(now.swapUsage)
        movedOut.increment(by: now.movedOutBlockCount - before.movedOutBlockCount)
        movedIn.increment(by: now.movedInBlockCount - before.movedInBlockCount)
        publish(now.policyFailures, since: before.policyFailures)
        guard now.swapBlockCount > 0 else { return }
        swappedPrefixQueries.increment(
            by: now.prefixQueryCount - now.devicePrefixHitCount - before.prefixQueryCount
                + before.devicePrefixHitCount)
        swappedPrefixHits.increment(by: now.swappedPrefixHitCount - before.swappedPrefixHitCount)
    }

    private func publish(_ now: PolicyFailures, since before: PolicyFailures) {
        guard now.count > before.count else { return }
        for (decision, counter) in policyFailures {
            counter.increment(by: now.count(of: decision) - before.count(of: decision))
        }
    }

    func recordAdmission(promptCount: Int, queued seconds: Double) {
        promptTokens.increment(by: promptCount)
        queueTime.record(seconds)
    }

    func recordToken(isFirst: Bool, after seconds: Double) {
        generationTokens.increment()
        (isFirst ? timeToFirstToken : interTokenLatency).record(seconds)
    }

    func recordExperts(_ rows: ExpertRows) {
        deviceExperts.increment(by: rows.deviceCount)
        hostExperts.increment(by: rows.hostCount)
    }

    func recordEnd(_ reason: FinishReason, after seconds: Double) {
        endToEndLatency.record(seconds)
        successes[reason.metricsLabel]?.increment()
    }
}

extension FinishReason {
    fileprivate var metricsLabel: String {
        switch self {
        case .stopToken, .stopString: "stop"
        case .length: "length"
        case .abort, .rejected: "abort"
        case .failure: "error"
        }
    }
}

/// Writes sentences about the decisions that a scheduling policy failed to make: about the first failure at once, about
/// later ones at most every ten seconds.
struct PolicyFailureLog: Sendable {
    private static let intervalSeconds = 10.0

    private let onFailure: @Sendable (String) -> Void
    private var writtenCount = 0
    private var last: EngineInstant?

    init(_ onFailure: @escaping @Sendable (String) -> Void) {
        self.onFailure = onFailure
    }

    /// Takes in the failures so far.
    mutating func update(_ failures: PolicyFailures, at now: EngineInstant) {
        guard failures.count > writtenCount else { return }
        if let last, now.seconds(since: last) < Self.intervalSeconds { return }
        let parts = PolicyDecision.allCases.filter { failures.count(of: $0) > 0 }.map {
            "\($0.rawValue) \(failures.count(of: $0))"
        }
        onFailure(
            "the scheduling policy failed to decide, so fcfs did; \(failures.count - writtenCount) times by now: "
                + "\(failures.lastMessage ?? "") (since the start: \(parts.joined(separator: ", ")))")
        writtenCount = failures.count
        last = now
    }
}
