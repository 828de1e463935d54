public import Requests
public import Scheduling
public import Tokenization

/// The synchronous engine: requests go in, `step()` brings them forward, events come out.
///
/// One thread owns it: that of `AsyncLLMEngine`. Tests may call `step()` themselves.
public struct LLMEngine: ~Copyable {
    private var scheduler: Scheduler
    private var executor: any ModelExecutor
    private let tokenizer: any Tokenizer
    private let clock: any EngineClock
    private var metrics: EngineMetrics?
    private var failureLog: PolicyFailureLog
    private var choices: [RequestID: Choice] = [:]
    private var submissions: [SubmissionID: Submission] = [:]
    private var lastRequestNumber: UInt64 = 0
    /// What to call once an adapter's last request has ended.
    private var releases: [AdapterID: @Sendable () -> Void] = [:]
    /// The statistics that metrics were last given.
    private var published = SchedulerStatistics()

    /// What other threads ask of the engine's thread.
    enum Command: Sendable {
        case submit(GenerationRequest, SubmissionID, onEvent: @Sendable (GenerationEvent) -> Void)
        case abort(SubmissionID)
        case add(AdapterID, name: String)
        case release(AdapterID, onReleased: @Sendable () -> Void)
    }

    /// An engine over `executor`, which must have the blocks that the scheduler hands out. `onPolicyFailure` is called
    /// with a sentence about failures of the scheduling policy, at most once in ten seconds.
    public init(
        scheduler: consuming Scheduler, executor: any ModelExecutor, tokenizer: any Tokenizer,
        clock: any EngineClock = MonotonicEngineClock(), metrics: EngineMetrics? = nil,
        onPolicyFailure: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.scheduler = scheduler
        self.executor = executor
        self.tokenizer = tokenizer
        self.clock = clock
        self.metrics = metrics
        failureLog = PolicyFailureLog(onPolicyFailure)
    }

    /// Whether a step would do nothing.
    public var isIdle: Bool { scheduler.isIdle }

    /// Counts for metrics and logs.
    public var statistics: SchedulerStatistics { scheduler.statistics }

    mutating func apply(_ commands: [Command]) {
        for command in commands {
            switch command {
            case .submit(let request, let id, let onEvent): submit(request, as: id, onEvent: onEvent)
            case .abort(let id): abort(id)
            case .add(let adapter, let name): metrics?.adapters?.names[adapter] = name
            case .release(let adapter, let onReleased): releases[adapter] = onReleased
            }
        }
        releaseUnused()
    }

    /// Lets go of the adapters that are to be released and that no request uses any more.
    private mutating func releaseUnused() {
        for (adapter, onReleased) in releases where !scheduler.isInUse(adapter) {
            releases[adapter] = nil
            scheduler.forget(adapter)
            metrics?.adapters?.names[adapter] = nil
            onReleased()
        }
    }

    /// Takes a request that `AsyncLLMEngine` has checked. `onEvent` is called on the engine's thread, from `step` and
    /// `abort`.
    public mutating func submit(
        _ request: GenerationRequest, as id: SubmissionID, onEvent: @escaping @Sendable (GenerationEvent) -> Void
    ) {
        let now = clock.now()
        let isScored = request.sampling.promptLogprobs != nil
        var submission = Submission(onEvent: onEvent, scoredCount: isScored ? request.prompt.count - 1 : 0)
        let stops =
            request.stopStrings.isEmpty
            ? nil : StopStringMatcher(stopStrings: request.stopStrings, includesStop: request.includesStopString)
        for index in 0..<request.choiceCount {
            var attributes = request.attributes
            attributes.sampling.seed &+= UInt64(index)
            // Every choice has the same prompt: the first one scores it.
            if index > 0 { attributes.sampling.promptLogprobs = nil }
            lastRequestNumber += 1
            let requestID = RequestID(lastRequestNumber)
            submission.requests.append(requestID)
            choices[requestID] = Choice(
                index: index, submission: id, request: request, sampling: attributes.sampling, stops: stops,
                arrival: now, tokenizer: tokenizer)
            scheduler.add(
                Request(
                    id: requestID, prompt: request.prompt, attributes: attributes, arrival: now,
                    leader: submission.requests[0]))
        }
        submissions[id] = submission
    }

    /// Ends a submission whose client went away; its blocks are free at once.
    public mutating func abort(_ id: SubmissionID) {
        guard let submission = submissions[id] else { return }
        for request in submission.requests where scheduler.abort(request) { end(request, .abort) }
        publish()
    }

    /// Ends everything.
    public mutating func abortAll() {
        for id in Array(submissions.keys) { abort(id) }
    }

    /// Brings every scheduled request forward by one step.
    public mutating func step() {
        let output = scheduler.schedule(at: clock.now())
        recordAdmissions(output)
        for rejected in output.rejected { end(rejected.id, .rejected(rejected.reason)) }
        do {
            let result = try executor.execute(output)
            if let rows = result.expertRows { metrics?.recordExperts(rows) }
            deliver(scheduler.update(output, with: result, at: clock.now()))
        } catch {
            for request in scheduler.failStep(output) { end(request, .failure("\(error)")) }
        }
        if !releases.isEmpty { releaseUnused() }
        publish()
    }

    // MARK: Events

    private mutating func deliver(_ progress: [RequestProgress]) {
        let now = clock.now()
        for entry in progress {
            deliverScores(entry)
            var finish = entry.finish
            if !entry.result.tokens.isEmpty, let stopString = deliverTokens(entry, at: now) {
                // The scheduler sees no text, so it does not know yet that the request has ended.
                let reason = FinishReason.stopString(stopString)
                _ = scheduler.end(entry.id, reason)
                finish = reason
            }
            if let finish { end(entry.id, finish) }
        }
    }

    /// Sends the text of the step's tokens, up to the one that completes a stop string. Returns that stop string.
    private mutating func deliverTokens(_ entry: RequestProgress, at now: EngineInstant) -> String? {
        guard var choice = choices[entry.id] else { return nil }
        let result = entry.result
        var output = GenerationOutput(choice: choice.index, text: "", tokens: [], logprobs: result.logprobs)
        var stopString: String?
        for token in result.tokens where stopString == nil {
            metrics?.recordToken(
                isFirst: choice.lastTokenTime == nil,
                after: now.seconds(since: choice.lastTokenTime ?? choice.arrival))
            output.tokens.append(token)
            let leftCount = result.tokens.count - output.tokens.count
            let (text, stop) = choice.append(
                token, outputCount: entry.outputCount - leftCount, finish: leftCount == 0 ? entry.finish : nil, at: now)
            output.text += text
            stopString = stop
        }
        if output.logprobs.count > output.tokens.count {
            output.logprobs.removeLast(output.logprobs.count - output.tokens.count)
        }
        choices[entry.id] = choice
        submissions[choice.submission]?.onEvent(.output(output))
        return stopString
    }

    private mutating func deliverScores(_ entry: RequestProgress) {
        let scores = entry.result.promptLogprobs
        guard !scores.isEmpty, let id = choices[entry.id]?.submission else { return }
        submissions[id]?.promptLogprobs += scores
        guard let submission = submissions[id], submission.promptLogprobs.count == submission.scoredCount else {
            return
        }
        submission.onEvent(.promptScored(submission.promptLogprobs))
    }

    private mutating func end(_ request: RequestID, _ reason: FinishReason) {
        guard let choice = choices.removeValue(forKey: request) else { return }
        metrics?.recordEnd(reason, after: clock.now().seconds(since: choice.arrival))
        submissions[choice.submission]?.onEvent(.finished(choice: choice.index, reason: reason))
        submissions[choice.submission]?.requests.removeAll { $0 == request }
        if submissions[choice.submission]?.requests.isEmpty == true { submissions[choice.submission] = nil }
    }

    private func recordAdmissions(_ output: SchedulerOutput) {
        guard let metrics, !output.admitted.isEmpty else { return }
        let now = clock.now()
        for admitted in output.admitted {
            guard let choice = choices[admitted.id] else { continue }
            metrics.recordAdmission(
                promptCount: admitted.prompt.count, queued: now.seconds(since: choice.arrival))
        }
    }

    private mutating func publish() {
        let statistics = scheduler.statistics
        metrics?.publish(statistics, since: published)
        metrics?.adapters?.publish(statistics)
        published = statistics
        failureLog.update(statistics.policyFailures, at: clock.now())
    }
}
