import KVCaching
import Requests
public import Scheduling
public import SharedValues

/// Runs a trace through the real `Scheduler` and `KVCaching` on a clock that only jumps from step to step.
public struct Simulation: ~Copyable {
    private let setup: SimulationSetup
    private var scheduler: Scheduler
    private var requests = SimulatedRequests()
    private var metrics: SimulationMetrics
    private let executor = SimulatedExecutor()
    private var seconds = 0.0
    private var pending: TraceRequest?

    /// The engine of `setup` under `policy`; `name` is the policy's name in the report.
    public init(_ setup: SimulationSetup, policy: any SchedulerPolicy, named name: String) {
        self.setup = setup
        scheduler = Scheduler(
            limits: setup.limits,
            cache: KVCacheManager(
                blockCount: setup.blockCount, groups: setup.groups,
                isPrefixCachingEnabled: setup.isPrefixCachingEnabled, swapBlockCount: setup.swapBlockCount),
            policy: policy,
            speeds: PreemptionSpeeds(
                tokenSeconds: setup.cost.recomputedTokenSeconds,
                moveSeconds: setup.cost.moveSeconds(blockSize: setup.blockSize)))
        metrics = SimulationMetrics(setup, policy: name)
    }

    /// Runs the whole of `trace`. Throws the trace's errors. `onProgress` is called with the number of requests that have
    /// arrived, every 1024 of them.
    public consuming func run(
        _ trace: inout some Trace & ~Copyable, onProgress: (Int) -> Void = { _ in }
    ) throws(SimulationError) -> PolicyReport {
        let start = ContinuousClock.now
        pending = try trace.next()
        while pending != nil || !scheduler.isIdle {
            if scheduler.isIdle, let pending { seconds = max(seconds, pending.arrivalSeconds) }
            while let arriving = pending, arriving.arrivalSeconds <= seconds {
                submit(arriving)
                if metrics.arrivedCount % 1024 == 0 { onProgress(metrics.arrivedCount) }
                pending = try trace.next()
            }
            if !scheduler.isIdle { step() }
        }
        let wall = start.duration(to: .now) / .seconds(1)
        return metrics.report(scheduler.statistics, seconds: seconds, wallSeconds: wall)
    }

    private mutating func submit(_ request: TraceRequest) {
        // A server refuses prompts that leave no room for an answer, and requests that find the queue full.
        guard request.promptCount < setup.limits.maxModelLength else { return metrics.refuse(request, .tooLong) }
        guard scheduler.statistics.waitingCount < setup.maxWaitingCount else {
            return metrics.refuse(request, .queueFull)
        }
        let id = requests.nextID
        let room = setup.limits.maxModelLength - request.promptCount
        let outputCount = min(request.outputCount, room)
        requests.append(metrics.arrive(request, outputCount: outputCount))
        var sampling = SamplingParameters()
        // Unless outputs are limited, the scheduler does not know how long the answer will be.
        sampling.maxTokens = setup.areOutputsLimited ? outputCount : room
        sampling.endTokenIDs = [SimulatedExecutor.endToken]
        scheduler.add(
            Request(
                id: id, prompt: PromptTokens.prompt(of: request, number: id.rawValue),
                attributes: RequestAttributes(
                    sampling: sampling, priority: request.priority, tenant: request.tenant,
                    deadlineSeconds: request.deadlineSeconds),
                arrival: Self.instant(request.arrivalSeconds)))
    }

    private mutating func step() {
        let clock = ContinuousClock()
        let begun = clock.now
        let output = scheduler.schedule(at: Self.instant(seconds))
        let scheduled = clock.now
        let cost =
            output.isEmpty && output.moves.isEmpty
            ? 0 : setup.cost.seconds(of: output, blockSize: setup.blockSize)
        let result = executor.execute(output) { id in
            requests[id].map { ($0.promptCount, $0.outputCount) } ?? (0, 0)
        }
        metrics.begin(output, scheduler.statistics, at: seconds, for: cost, in: &requests)
        seconds += cost
        let executed = clock.now
        let progress = scheduler.update(output, with: result, at: Self.instant(seconds))
        let updated = clock.now
        metrics.end(progress, at: seconds, in: &requests)
        metrics.addSchedulerTime((begun.duration(to: scheduled) + executed.duration(to: updated)) / .seconds(1))
    }

    private static func instant(_ seconds: Double) -> EngineInstant {
        EngineInstant(nanoseconds: 0).advanced(bySeconds: seconds)
    }
}

/// The simulated engine: its limits, its cache and the cost of a step.
public struct SimulationSetup: Sendable {
    public var limits: SchedulerLimits
    /// Blocks of the cache.
    public var blockCount: Int
    /// The cache groups; one without a window unless set otherwise.
    public var groups: [CacheGroup]
    /// Whether equal prefixes share blocks.
    public var isPrefixCachingEnabled = true
    /// Blocks of the swap space.
    public var swapBlockCount = 0
    /// The greatest number of requests that wait; more are refused.
    public var maxWaitingCount = 4096
    /// Whether each request sets `max_tokens` to the length of its answer, so that policies know it.
    public var areOutputsLimited = false
    public var cost: StepCost
    /// The service of one prompt token and of one output token, where tenants are compared.
    public var serviceCosts = (prompt: 1.0, output: 2.0)
    /// Weights of tenants where they are compared; 1 for those not named.
    public var tenantWeights: [String: Double] = [:]

    /// Precondition: a sequence of the greatest length fits into the blocks.
    public init(limits: SchedulerLimits, blockCount: Int, blockSize: Int, cost: StepCost) {
        self.limits = limits
        self.blockCount = blockCount
        groups = [CacheGroup(blockSize: blockSize)]
        self.cost = cost
    }

    /// Tokens in a block; of groups the most.
    var blockSize: Int { groups.map(\.blockSize).max() ?? 1 }
}

/// Produces answers of the trace's lengths, without a model: the last token of each is the end token.
struct SimulatedExecutor {
    /// Ends an answer.
    static let endToken: Int32 = 0
    private static let token: Int32 = 1

    /// Results for `output`; `lengths` returns how many tokens a request's prompt and its answer have.
    func execute(
        _ output: SchedulerOutput, lengths: (RequestID) -> (prompt: Int, output: Int)
    ) -> ModelRunnerOutput {
        ModelRunnerOutput(
            results: output.scheduled.map { scheduled in
                guard scheduled.samplesNext else { return StepResult() }
                let (promptCount, outputCount) = lengths(scheduled.id)
                let produced = scheduled.firstPosition + scheduled.tokens.count - promptCount + 1
                return StepResult(tokens: StepTokens(produced >= outputCount ? Self.endToken : Self.token))
            })
    }
}

/// The simulation's own notes about a request in flight.
struct SimulatedRequest: Sendable {
    let promptCount: Int
    let outputCount: Int
    let arrivalSeconds: Double
    let priority: Int
    let deadlineSeconds: Double?
    /// The tenant's index in the report, and in the comparison of tenants.
    let tenant: Int?
    let fairnessIndex: Int?
    var firstTokenSeconds: Double?
    var lastTokenSeconds = 0.0
    var isWaiting = true
    var wasAdmitted = false
}

/// Requests by id. Ids count up, so those in flight are one range of an array.
struct SimulatedRequests: Sendable {
    private var requests: [SimulatedRequest?] = []
    private var head = 0
    private var firstNumber: UInt64 = 0

    var nextID: RequestID { RequestID(firstNumber + UInt64(requests.count)) }

    mutating func append(_ request: SimulatedRequest) { requests.append(request) }

    subscript(id: RequestID) -> SimulatedRequest? {
        _read { yield requests[Int(id.rawValue - firstNumber)] }
        _modify { yield &requests[Int(id.rawValue - firstNumber)] }
    }

    /// Removes a request, and the part of the array before the first that is left.
    mutating func remove(_ id: RequestID) {
        requests[Int(id.rawValue - firstNumber)] = nil
        while head < requests.count, requests[head] == nil { head += 1 }
        guard head > 1024, head > requests.count / 2 else { return }
        requests.removeFirst(head)
        firstNumber += UInt64(head)
        head = 0
    }
}
