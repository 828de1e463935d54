import Requests
import Scheduling

/// Collects a simulation's figures; its memory does not grow with the trace.
struct SimulationMetrics: Sendable {
    enum Refusal { case tooLong, queueFull, policy }

    private let setup: SimulationSetup
    private(set) var arrivedCount = 0
    private var report: PolicyReport
    private var timeToFirstToken = Histogram()
    private var interToken = Histogram()
    private var endToEnd = Histogram()
    private var perOutputToken = Histogram()
    private var schedulerTime = Histogram()
    private var groups = RequestGroups()
    private var fairness: FairnessGap
    private var cache: CacheUse
    private var waiting = TimeSeries()
    private var running = TimeSeries()
    private var use = TimeSeries()

    init(_ setup: SimulationSetup, policy: String) {
        self.setup = setup
        report = PolicyReport(policy: policy)
        fairness = FairnessGap(
            promptCost: setup.serviceCosts.prompt, outputCost: setup.serviceCosts.output,
            weights: setup.tenantWeights)
        cache = CacheUse(setup)
    }

    // MARK: Arrival

    /// `outputCount`: tokens that the answer will have; fewer than in the trace where they do not fit.
    mutating func arrive(_ request: TraceRequest, outputCount: Int) -> SimulatedRequest {
        count(request)
        let index = fairness.index(of: request.tenant)
        fairness.wait(index, by: 1)
        return SimulatedRequest(
            promptCount: request.promptCount, outputCount: outputCount,
            arrivalSeconds: request.arrivalSeconds, priority: request.priority,
            deadlineSeconds: request.deadlineSeconds, tenant: groups.tenantIndex(of: request.tenant),
            fairnessIndex: index)
    }

    mutating func refuse(_ request: TraceRequest, _ refusal: Refusal) {
        count(request)
        refuse(refusal)
    }

    private mutating func count(_ request: TraceRequest) {
        arrivedCount += 1
        if request.deadlineSeconds != nil { report.deadlines.count += 1 }
    }

    private mutating func refuse(_ refusal: Refusal) {
        switch refusal {
        case .tooLong: report.requests.tooLong += 1
        case .queueFull: report.requests.queueFull += 1
        case .policy: report.requests.rejected += 1
        }
    }

    // MARK: A step

    mutating func begin(
        _ output: SchedulerOutput, _ statistics: SchedulerStatistics, at time: Double, for duration: Double,
        in requests: inout SimulatedRequests
    ) {
        report.stepCount += 1
        for rejected in output.rejected {
            if let request = requests[rejected.id], request.isWaiting { fairness.wait(request.fairnessIndex, by: -1) }
            requests.remove(rejected.id)
            refuse(.policy)
        }
        for id in output.preempted {
            fairness.wait(requests[id]?.fairnessIndex, by: 1)
            requests[id]?.isWaiting = true
        }
        for scheduled in output.scheduled {
            report.tokens.computed += scheduled.tokens.count
            guard let request = requests[scheduled.id], request.isWaiting else { continue }
            fairness.wait(request.fairnessIndex, by: -1)
            if !request.wasAdmitted { fairness.admit(request.fairnessIndex, promptCount: request.promptCount) }
            requests[scheduled.id]?.isWaiting = false
            requests[scheduled.id]?.wasAdmitted = true
        }
        cache.add(output, statistics, for: duration)
        waiting.add(Double(statistics.waitingCount), at: time, for: duration)
        running.add(Double(statistics.runningCount), at: time, for: duration)
        use.add(statistics.cacheUsage, at: time, for: duration)
    }

    mutating func end(_ progress: [RequestProgress], at time: Double, in requests: inout SimulatedRequests) {
        for entry in progress where !entry.result.tokens.isEmpty {
            report.tokens.output += entry.result.tokens.count
            for _ in entry.result.tokens { produce(entry.id, at: time, in: &requests) }
            guard entry.finish != nil, let ended = requests[entry.id] else { continue }
            finish(ended, at: time)
            requests.remove(entry.id)
        }
        fairness.update()
    }

    private mutating func produce(_ id: RequestID, at time: Double, in requests: inout SimulatedRequests) {
        guard let request = requests[id] else { return }
        fairness.produce(request.fairnessIndex)
        if request.firstTokenSeconds == nil {
            timeToFirstToken.add(time - request.arrivalSeconds)
            groups.addFirstToken(request, after: time - request.arrivalSeconds)
            requests[id]?.firstTokenSeconds = time
        } else {
            interToken.add(time - request.lastTokenSeconds)
        }
        requests[id]?.lastTokenSeconds = time
    }

    /// Seconds of this machine that the scheduler took for one step.
    mutating func addSchedulerTime(_ seconds: Double) { schedulerTime.add(seconds) }

    private mutating func finish(_ request: SimulatedRequest, at time: Double) {
        let latency = time - request.arrivalSeconds
        report.requests.finished += 1
        report.tokens.prompt += request.promptCount
        endToEnd.add(latency)
        perOutputToken.add(latency / Double(request.outputCount))
        groups.addEnd(request, after: latency)
        guard let deadline = request.deadlineSeconds, let first = request.firstTokenSeconds else { return }
        if first - request.arrivalSeconds <= deadline { report.deadlines.firstTokenMet += 1 }
        if latency <= deadline { report.deadlines.finishMet += 1 }
    }

    // MARK: The end

    func report(_ statistics: SchedulerStatistics, seconds: Double, wallSeconds: Double) -> PolicyReport {
        var report = report
        report.requests.arrived = arrivedCount
        report.seconds = seconds
        report.wallSeconds = wallSeconds
        report.timeToFirstToken = PolicyReport.Distribution(timeToFirstToken)
        report.interToken = PolicyReport.Distribution(interToken)
        report.endToEnd = PolicyReport.Distribution(endToEnd)
        report.perOutputToken = PolicyReport.Distribution(perOutputToken)
        report.schedulerTime = PolicyReport.Distribution(schedulerTime)
        report.policyFailureCount = statistics.policyFailures.count
        report.lastPolicyFailure = statistics.policyFailures.lastMessage
        report.preemptionCount = statistics.preemptionCount
        report.tokens.recomputed = statistics.recomputedTokenCount
        report.tokens.swapped = statistics.swappedOutTokenCount
        report.tokens.swappedPrefixHit = statistics.swappedPrefixHitCount
        report.moves = PolicyReport.Moves(
            out: statistics.movedOutBlockCount, in: statistics.movedInBlockCount, preemptions: statistics.swapOutCount,
            seconds: Double(statistics.movedOutBlockCount + statistics.movedInBlockCount + statistics.copiedBlockCount)
                * setup.cost.moveSeconds(blockSize: setup.blockSize))
        report.tokens.prefixHit = statistics.prefixHitCount
        report.tokens.prefixQueried = statistics.prefixQueryCount
        report.cache = cache.figures
        report.fairnessGap = fairness.gap
        report.tenants = groups.tenants
        report.priorities = groups.priorities
        report.series = PolicyReport.Series(
            waitingSeconds: waiting.intervalSeconds, waiting: waiting.values, running: running.values,
            cacheUse: use.values)
        return report
    }
}
