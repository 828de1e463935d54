import KVCaching
import Requests
public import Scheduling

/// Runs a trace through the real `Scheduler` and `KVCaching` on a clock that only jumps from step to step.
public struct Simulation: ~Copyable {
    private let setup: SimulationSetup
    private var scheduler: Scheduler
    private var requests = SimulatedRequests()
    private var metrics: SimulationMetrics
    private let executor = SimulatedExecutor()
    private var seconds = 0.0
    private var pending: TraceRequest?

    /// An engine as `setup` says, under `policy`, whose name goes into the report.
    public init(_ setup: SimulationSetup, policy: any SchedulerPolicy, named name: String) {
        self.setup = setup
        scheduler = Scheduler(
            limits: setup.limits,
            cache: KVCacheManager(
                blockCount: setup.blockCount, blockSize: setup.blockSize,
                isPrefixCachingEnabled: setup.isPrefixCachingEnabled, swapBlockCount: setup.swapBlockCount),
            policy: policy,
            speeds: PreemptionSpeeds(
                tokenSeconds: setup.cost.recomputedTokenSeconds,
                moveSeconds: setup.cost.moveSeconds(blockSize: setup.blockSize)))
        metrics = SimulationMetrics(setup, policy: name)
    }

    /// Runs the whole of `trace`. Throws what is wrong with it. `progress` hears how many requests have arrived.
    public consuming func run(
        _ trace: inout some Trace & ~Copyable, progress: (Int) -> Void = { _ in }
    ) throws(SimulationError) -> PolicyReport {
        let start = ContinuousClock.now
        pending = try trace.next()
        while pending != nil || !scheduler.isIdle {
            if scheduler.isIdle, let pending { seconds = max(seconds, pending.arrivalSeconds) }
            while let arriving = pending, arriving.arrivalSeconds <= seconds {
                submit(arriving)
                if metrics.arrivedCount % 1024 == 0 { progress(metrics.arrivedCount) }
                pending = try trace.next()
            }
            if !scheduler.isIdle { step() }
        }
        let wall = start.duration(to: .now) / .seconds(1)
        return metrics.report(scheduler.statistics, seconds: seconds, wallSeconds: wall)
    }

    private mutating func submit(_ request: TraceRequest) {
        // What a server would refuse: a prompt that leaves no room for an answer, and whatever finds the queue full.
        guard request.promptCount < setup.limits.maxModelLength else { return metrics.refuse(request, .tooLong) }
        guard scheduler.statistics.waitingCount < setup.maxWaitingCount else {
            return metrics.refuse(request, .queueFull)
        }
        let id = requests.nextID
        let room = setup.limits.maxModelLength - request.promptCount
        let outputCount = min(request.outputCount, room)
        requests.append(metrics.arrive(request, outputCount: outputCount))
        var sampling = SamplingParameters()
        // As for a client that sets no limit: how long the answer will be is not known to the scheduler.
        sampling.maxTokens = setup.areOutputsLimited ? outputCount : room
        sampling.endTokenIDs = [SimulatedExecutor.endToken]
        let arrival = Self.instant(request.arrivalSeconds)
        scheduler.add(
            Request(
                id: id, prompt: PromptTokens.prompt(of: request, number: id.rawValue), sampling: sampling,
                arrival: arrival, priority: request.priority, tenant: request.tenant,
                deadline: request.deadlineSeconds.map { arrival.advanced(bySeconds: $0) }))
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
