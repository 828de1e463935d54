/// The help text of a metric and, for a histogram, the upper bounds of its buckets.
public struct MetricDescription: Sendable {
    public var help: String
    /// Upper bounds in ascending order; nil: not a histogram.
    public var bounds: [Double]?

    public init(_ help: String, bounds: [Double]? = nil) {
        self.help = help
        self.bounds = bounds
    }

    /// Prometheus' default, for histograms without a description.
    static let defaultBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    /// The bounds of vLLM's histograms of request times, in seconds.
    static let requestBounds = [
        0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
    ]

    /// The metrics of engine and server, under vLLM's names if it has them.
    public static let all: [String: MetricDescription] = [
        "vllm:num_requests_running": .init("Requests in the running batch."),
        "vllm:num_requests_waiting": .init("Requests waiting to be scheduled."),
        "vllm:kv_cache_usage_perc": .init("Part of the KV cache in use, 1 is all of it."),
        "vllm:prompt_tokens_total": .init("Prompt tokens of requests that were scheduled, cached ones among them."),
        "vllm:generation_tokens_total": .init("Tokens generated."),
        "vllm:num_preemptions_total": .init("Preemptions of running requests."),
        "vllm:request_success_total": .init("Requests that ended, by reason."),
        "vllm:prefix_cache_queries_total": .init("Tokens looked up in the prefix cache."),
        "vllm:prefix_cache_hits_total": .init("Tokens found in the prefix cache."),
        "vllm:external_prefix_cache_queries_total": .init("Tokens looked up in the swap space, as not on the device."),
        "vllm:external_prefix_cache_hits_total": .init("Tokens found in the swap space."),
        "vllm:lora_requests_info": .init("When the adapters of its labels last ran and waited, in seconds since 1970."),
        "vllm:num_requests_swapped": .init("Requests whose KV blocks wait in the swap space."),
        "vllm:cpu_cache_usage_perc": .init("Part of the swap space in use by requests, 1 is all of it."),
        "quire:policy_failures_total": .init("Decisions that the scheduling policy failed to make, left to fcfs."),
        "quire:swapped_out_blocks_total": .init("KV blocks moved to the swap space."),
        "quire:swapped_in_blocks_total": .init("KV blocks brought back from the swap space."),
        "quire:expert_rows_total": .init(
            "With model.expert_memory: experts that rows chose, by the memory that holds their weights."),
        "vllm:time_to_first_token_seconds": .init(
            "From arrival to the first token.",
            bounds: [
                0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160,
                640, 2560,
            ]),
        "vllm:inter_token_latency_seconds": .init(
            "Between two tokens of a request.",
            bounds: [
                0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
            ]),
        "vllm:e2e_request_latency_seconds": .init("From arrival to the last token.", bounds: requestBounds),
        "vllm:request_queue_time_seconds": .init("From arrival to being scheduled.", bounds: requestBounds),
        "http_requests_total": .init("HTTP requests answered, by method, path and status."),
    ]
}
