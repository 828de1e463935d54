/// What one policy did with a trace.
public struct PolicyReport: Sendable, Encodable {
    /// How many requests came to which end.
    public struct Requests: Sendable, Encodable {
        /// Requests of the trace.
        public internal(set) var arrived = 0
        /// Served to the end.
        public internal(set) var finished = 0
        /// Refused by the policy.
        public internal(set) var rejected = 0
        /// Refused because the queue was full.
        public internal(set) var queueFull = 0
        /// Refused because prompt and answer do not fit into the greatest length.
        public internal(set) var tooLong = 0
    }

    /// Tokens of the whole run.
    public struct Tokens: Sendable, Encodable {
        /// Prompt tokens of finished requests.
        public internal(set) var prompt = 0
        /// Tokens produced.
        public internal(set) var output = 0
        /// Tokens computed, prompts and what was computed again included.
        public internal(set) var computed = 0
        /// Tokens computed again after preemptions.
        public internal(set) var recomputed = 0
        /// Computed tokens of preempted requests that moved to the swap space.
        public internal(set) var swapped = 0
        /// Tokens that were looked up in the prefix cache.
        public internal(set) var prefixQueried = 0
        /// Tokens that were found there.
        public internal(set) var prefixHit = 0
        /// Found tokens that had to be brought back from the swap space.
        public internal(set) var swappedPrefixHit = 0
    }

    /// Seconds, to within 1/64.
    public struct Distribution: Sendable, Encodable {
        /// Mean, median, 90th, 95th and 99th percentile, and the largest.
        public let mean, p50, p90, p95, p99, max: Double
        /// Every fiftieth quantile, from 0 to 1, for charts.
        let quantiles: [Double]

        private enum CodingKeys: String, CodingKey { case mean, p50, p90, p95, p99, max }

        init(_ histogram: Histogram = Histogram()) {
            mean = histogram.mean
            p50 = histogram.value(atQuantile: 0.5)
            p90 = histogram.value(atQuantile: 0.9)
            p95 = histogram.value(atQuantile: 0.95)
            p99 = histogram.value(atQuantile: 0.99)
            max = histogram.maximum
            quantiles = (0...50).map { histogram.value(atQuantile: Double($0) / 50) }
        }
    }

    /// The key-value cache over time.
    public struct Cache: Sendable, Encodable {
        /// Fraction of the blocks in use, on average over time.
        public internal(set) var meanUse = 0.0
        /// The greatest fraction of the blocks in use at once.
        public internal(set) var maxUse = 0.0
        /// Fraction of the memory in use that holds no token: the ends of last blocks.
        public internal(set) var waste = 0.0
        /// Memory in use as a fraction of the memory that reserving the greatest length for each sequence would take.
        public internal(set) var shareOfReserving = 0.0
    }

    /// Blocks that moved between the cache and the swap space.
    public struct Moves: Sendable, Encodable {
        /// To the swap space, and back.
        public internal(set) var out = 0, `in` = 0
        /// Preemptions that moved a request's blocks.
        public internal(set) var preemptions = 0
        /// Simulated seconds that moving took.
        public internal(set) var seconds = 0.0
    }

    /// Requests that had a deadline.
    public struct Deadlines: Sendable, Encodable {
        /// How many there were.
        public internal(set) var count = 0
        /// Those whose first token was in time.
        public internal(set) var firstTokenMet = 0
        /// Those that were finished in time.
        public internal(set) var finishMet = 0
    }

    /// One tenant's or one priority's requests.
    public struct Group: Sendable, Encodable {
        /// The tenant or the priority.
        public let name: String
        /// Requests served to the end, and their output.
        public let finished, outputTokens: Int
        /// Seconds from arrival to the first token, and to the last.
        public let timeToFirstToken, endToEnd: Distribution
    }

    /// Means over equal intervals of simulated time.
    struct Series: Sendable {
        var waitingSeconds = 0.0
        var waiting: [Double] = []
        var running: [Double] = []
        var cacheUse: [Double] = []
    }

    public let policy: String
    /// How many requests came to which end.
    public internal(set) var requests = Requests()
    /// Tokens of the whole run.
    public internal(set) var tokens = Tokens()
    /// Simulated seconds.
    public internal(set) var seconds = 0.0
    /// Seconds that the simulation itself took.
    public internal(set) var wallSeconds = 0.0
    /// Steps of the engine.
    public internal(set) var stepCount = 0
    /// Seconds from arrival to the first token.
    public internal(set) var timeToFirstToken = Distribution()
    /// Seconds between two tokens of a request.
    public internal(set) var interToken = Distribution()
    /// Seconds from arrival to the last token.
    public internal(set) var endToEnd = Distribution()
    /// The same, for each token of the output.
    public internal(set) var perOutputToken = Distribution()
    /// Seconds of this machine that the scheduler took for a step: `schedule` and `update` together.
    public internal(set) var schedulerTime = Distribution()
    /// How often a request was preempted.
    public internal(set) var preemptionCount = 0
    /// Decisions that the policy failed to make, so that `fcfs` did, and the last one's message.
    public internal(set) var policyFailureCount = 0, lastPolicyFailure: String?
    public internal(set) var moves = Moves()
    /// The cache over time.
    public internal(set) var cache = Cache()
    /// How far the service of two waiting tenants drifted apart, in weighted tokens.
    public internal(set) var fairnessGap = 0.0
    /// Requests that had a deadline.
    public internal(set) var deadlines = Deadlines()
    /// The first tenants, where there are several.
    public internal(set) var tenants: [Group] = []
    /// Priorities, where there are several.
    public internal(set) var priorities: [Group] = []
    var series = Series()

    private enum CodingKeys: String, CodingKey {
        case policy, requests, tokens, seconds, wallSeconds, stepCount, timeToFirstToken, interToken, endToEnd
        case perOutputToken, schedulerTime, preemptionCount, policyFailureCount, lastPolicyFailure, moves, cache,
            fairnessGap, deadlines, tenants, priorities
    }

    init(policy: String) {
        self.policy = policy
    }

    /// Tokens produced in a simulated second.
    public var outputTokensPerSecond: Double { seconds > 0 ? Double(tokens.output) / seconds : 0 }
}
