import Dispatch
public import Requests
public import Scheduling
import Synchronization

/// The engine on its own thread: takes requests from any task, and returns a stream for each.
///
/// Everything inside the engine is synchronous; between steps its thread reads the mailbox, and sleeps when there is
/// nothing to do.
public final class AsyncLLMEngine: Sendable {
    /// What a caller needs to know to prepare a request.
    public struct Limits: Sendable {
        /// The greatest number of prompt and output tokens of one request.
        public let maxModelLength: Int
        /// Tokens are `0 ..< vocabularySize`.
        public let vocabularySize: Int
        /// Requests that may wait at once.
        public let maxWaitingCount: Int

        public init(maxModelLength: Int, vocabularySize: Int, maxWaitingCount: Int) {
            self.maxModelLength = maxModelLength
            self.vocabularySize = vocabularySize
            self.maxWaitingCount = maxWaitingCount
        }
    }

    private struct Mailbox {
        var commands: [LLMEngine.Command] = []
        /// Requests that no step has admitted yet, those still in the mailbox included.
        var waitingCount = 0
        var statistics = SchedulerStatistics()
        var lastSubmission: UInt64 = 0
        var isStopped = false
        /// Adapters that requests may name.
        var adapters: Set<AdapterID> = []
        /// That of requests which name none.
        var defaultAdapter: AdapterID?
    }

    /// Bounds of the requests that it takes.
    public let limits: Limits
    private let engine: Mutex<LLMEngine>
    private let mailbox = Mutex(Mailbox())
    private let wakeUp = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// Starts `engine` on a thread of its own.
    public init(_ engine: consuming sending LLMEngine, limits: Limits) {
        self.engine = Mutex(engine)
        self.limits = limits
        DispatchQueue(label: "quire.engine", qos: .userInitiated).async { self.run() }
    }

    /// Takes a request, or says why not. Ending the stream early, by cancelling the task that reads it or by
    /// dropping it, aborts the request before the next step.
    public func submit(
        _ request: GenerationRequest
    ) throws(EngineError) -> AsyncThrowingStream<GenerationEvent, any Error> {
        try check(request)
        let request = withDefaultAdapter(request)
        let (stream, continuation) = AsyncThrowingStream<GenerationEvent, any Error>.makeStream()
        let remaining = Mutex(request.choiceCount)
        let onEvent: @Sendable (GenerationEvent) -> Void = { event in
            continuation.yield(event)
            guard case .finished = event else { return }
            if remaining.withLock({
                $0 -= 1; return $0 == 0
            }) {
                continuation.finish()
            }
        }
        let id = try mailbox.withLock { mailbox throws(EngineError) in
            guard !mailbox.isStopped else { throw .shuttingDown }
            if let adapter = request.attributes.adapter, !mailbox.adapters.contains(adapter) {
                throw .unknownAdapter
            }
            guard mailbox.waitingCount + request.choiceCount <= limits.maxWaitingCount else {
                throw .queueFull(limit: limits.maxWaitingCount)
            }
            mailbox.lastSubmission += 1
            mailbox.waitingCount += request.choiceCount
            let id = SubmissionID(rawValue: mailbox.lastSubmission)
            mailbox.commands.append(.submit(request, id, onEvent: onEvent))
            return id
        }
        wakeUp.signal()
        continuation.onTermination = { [weak self] termination in
            guard case .cancelled = termination else { return }
            self?.abort(id)
        }
        return stream
    }

    /// Lets requests name `adapter`, whose matrices the executor has. `name` appears in metrics.
    public func add(_ adapter: AdapterID, name: String) {
        mailbox.withLock {
            $0.adapters.insert(adapter)
            $0.commands.append(.add(adapter, name: name))
        }
        wakeUp.signal()
    }

    /// Gives requests that name no adapter this one.
    public func setDefaultAdapter(_ adapter: AdapterID) { mailbox.withLock { $0.defaultAdapter = adapter } }

    private func withDefaultAdapter(_ request: GenerationRequest) -> GenerationRequest {
        guard request.attributes.adapter == nil, let adapter = mailbox.withLock({ $0.defaultAdapter }) else {
            return request
        }
        var request = request
        request.attributes.adapter = adapter
        return request
    }

    /// Refuses new requests that name `adapter`. Those that it has are finished first; then `onReleased` is called once, on
    /// the engine's thread, and the executor is not asked for the adapter any more.
    public func release(_ adapter: AdapterID, onReleased: @escaping @Sendable () -> Void) {
        mailbox.withLock {
            $0.adapters.remove(adapter)
            $0.commands.append(.release(adapter, onReleased: onReleased))
        }
        wakeUp.signal()
    }

    /// Counts as of the last step.
    public var statistics: SchedulerStatistics { mailbox.withLock { $0.statistics } }

    /// Aborts the requests in flight and waits until the thread has ended. Later submissions are refused.
    public func stop() {
        let isFirst = mailbox.withLock { mailbox in
            defer { mailbox.isStopped = true }
            return !mailbox.isStopped
        }
        guard isFirst else { return }
        wakeUp.signal()
        ended.wait()
    }

    private func check(_ request: GenerationRequest) throws(EngineError) {
        guard !request.prompt.isEmpty else { throw .promptEmpty }
        let neededCount = request.prompt.count + min(1, request.sampling.maxTokens)
        guard neededCount <= limits.maxModelLength else {
            throw .promptTooLong(tokenCount: request.prompt.count, limit: limits.maxModelLength)
        }
        try check(request.prompt, "prompt")
        try check(request.sampling.stopTokenIDs, "stop_token_ids")
        try check(Array(request.sampling.logitBias.keys), "logit_bias")
        guard request.choiceCount <= limits.maxWaitingCount else {
            throw .tooManyChoices(request.choiceCount, limit: limits.maxWaitingCount)
        }
    }

    private func check(_ tokens: [Int32], _ field: String) throws(EngineError) {
        for token in tokens where token < 0 || token >= limits.vocabularySize {
            throw .tokenOutOfVocabulary(field: field, token: token, vocabularySize: limits.vocabularySize)
        }
    }

    private func abort(_ id: SubmissionID) {
        mailbox.withLock { $0.commands.append(.abort(id)) }
        wakeUp.signal()
    }

    // MARK: The engine's thread

    private func run() {
        engine.withLock { engine in
            while let commands = nextCommands(isIdle: engine.isIdle) {
                engine.apply(commands)
                if !engine.isIdle { engine.step() }
                let statistics = engine.statistics
                mailbox.withLock { mailbox in
                    mailbox.statistics = statistics
                    mailbox.waitingCount = mailbox.commands.reduce(statistics.waitingCount) { count, command in
                        if case .submit(let request, _, _) = command { count + request.choiceCount } else { count }
                    }
                }
            }
            engine.apply(mailbox.withLock { $0.commands })
            engine.abortAll()
        }
        ended.signal()
    }

    /// The commands that have come in, after waiting for one if there is nothing else to do; nil when stopped.
    private func nextCommands(isIdle: Bool) -> [LLMEngine.Command]? {
        while true {
            let (commands, isStopped): ([LLMEngine.Command], Bool) = mailbox.withLock { mailbox in
                if mailbox.isStopped { return ([], true) }
                defer { mailbox.commands.removeAll() }
                return (mailbox.commands, false)
            }
            if isStopped { return nil }
            if !isIdle || !commands.isEmpty { return commands }
            wakeUp.wait()
        }
    }
}
