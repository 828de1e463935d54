import InferenceEngine
import KVCaching
import Requests
import Scheduling
import Synchronization
import Testing

@Suite("AsyncLLMEngine")
struct AsyncLLMEngineTests {
    /// Continues every prompt with the bytes of a text, one a step; fails at a given step, and waits at a gate.
    struct ReciteExecutor: ModelExecutor {
        struct Failure: Error, CustomStringConvertible { let description = "device lost" }

        let text: [UInt8]
        let failsAtStep: Int?
        let gate: Gate?
        private var produced: [RequestID: Int] = [:]
        private var step = 0

        init(_ text: String, failsAtStep: Int? = nil, gate: Gate? = nil) {
            self.text = Array(text.utf8)
            self.failsAtStep = failsAtStep
            self.gate = gate
        }

        mutating func execute(_ output: SchedulerOutput) throws -> ModelRunnerOutput {
            gate?.pass()
            step += 1
            if step == failsAtStep { throw Failure() }
            return ModelRunnerOutput(
                results: output.scheduled.map { scheduled in
                    guard scheduled.samplesNext else { return StepResult() }
                    let index = produced[scheduled.id, default: 0]
                    produced[scheduled.id] = index + 1
                    return StepResult(tokens: StepTokens(index < text.count ? Int32(text[index]) : 256))
                })
        }
    }

    /// Lets the engine's thread take as many steps as it is given.
    final class Gate: Sendable {
        private let allowed = Mutex(0)

        func open(steps: Int) { allowed.withLock { $0 += steps } }

        func pass() {
            while true {
                let mayPass = allowed.withLock { allowed in
                    guard allowed > 0 else { return false }
                    allowed -= 1
                    return true
                }
                if mayPass { return }
                _ = Task.isCancelled
            }
        }
    }

    static func engine(
        _ executor: any ModelExecutor & Sendable, blockCount: Int = 64, maxWaiting: Int = 100,
        policy: any SchedulerPolicy = FirstComeFirstServed(),
        onPolicyFailure: @escaping @Sendable (String) -> Void = { _ in }
    ) -> AsyncLLMEngine {
        let limits = SchedulerLimits(maxBatchedTokenCount: 64, maxSequenceCount: 8, maxModelLength: 200)
        return AsyncLLMEngine(
            LLMEngine(
                scheduler: Scheduler(
                    limits: limits, cache: KVCacheManager(blockCount: blockCount, blockSize: 4),
                    policy: policy),
                executor: executor, tokenizer: ByteTokenizer(), onPolicyFailure: onPolicyFailure),
            limits: AsyncLLMEngine.Limits(maxModelLength: 200, vocabularySize: 257, maxWaitingCount: maxWaiting))
    }

    static func request(maxTokens: Int = 50, _ configure: (inout GenerationRequest) -> Void = { _ in })
        -> GenerationRequest
    {
        var request = GenerationRequest(prompt: [1, 2, 3])
        request.sampling.maxTokens = maxTokens
        request.sampling.endTokenIDs = [256]
        configure(&request)
        return request
    }

    static func collect(
        _ stream: AsyncThrowingStream<GenerationEvent, any Error>
    ) async throws -> (texts: [Int: String], tokens: [Int: [Int32]], reasons: [Int: FinishReason]) {
        var (texts, tokens, reasons): ([Int: String], [Int: [Int32]], [Int: FinishReason]) = ([:], [:], [:])
        for try await event in stream {
            switch event {
            case .output(let output):
                texts[output.choice, default: ""] += output.text
                tokens[output.choice, default: []] += output.tokens
            case .finished(let choice, let reason): reasons[choice] = reason
            case .promptScored: break
            }
        }
        return (texts, tokens, reasons)
    }

    @Test("text comes out whole, characters of several tokens too, and ends at the end token")
    func recites() async throws {
        let engine = Self.engine(ReciteExecutor("naïve 🪶 ok"))
        defer { engine.stop() }
        let result = try await Self.collect(engine.submit(Self.request()))
        #expect(result.texts == [0: "naïve 🪶 ok"])
        #expect(result.reasons == [0: .stopToken(256)])
        #expect(result.tokens[0]?.last == 256)
    }

    @Test("a stop string ends the text before it, even across tokens; or after it, where it is included")
    func stopStrings() async throws {
        let engine = Self.engine(ReciteExecutor("one two three"))
        defer { engine.stop() }
        let without = try await Self.collect(engine.submit(Self.request { $0.stopStrings = ["o th", "zzz"] }))
        #expect(without.texts == [0: "one tw"] && without.reasons == [0: .stopString("o th")])
        let with = try await Self.collect(
            engine.submit(
                Self.request {
                    $0.stopStrings = ["two"]
                    $0.includesStopString = true
                }))
        #expect(with.texts == [0: "one two"])
    }

    /// Remembers why requests ended.
    struct Listener: SchedulerPolicy {
        final class Reasons: Sendable {
            let all = Mutex<[FinishReason]>([])
        }

        let reasons = Reasons()

        mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) {
            reasons.all.withLock { $0.append(reason) }
        }
    }

    @Test("a policy is told of a stop string as such, and not of an abort")
    func policyHearsOfStopStrings() async throws {
        let listener = Listener()
        let engine = Self.engine(ReciteExecutor("one two three"), policy: listener)
        defer { engine.stop() }
        _ = try await Self.collect(engine.submit(Self.request { $0.stopStrings = ["two"] }))
        #expect(listener.reasons.all.withLock { $0 } == [.stopString("two")])
    }

    @Test("max_tokens ends a text, and releases text that was held back for a stop string")
    func length() async throws {
        let engine = Self.engine(ReciteExecutor("one two three"))
        defer { engine.stop() }
        let result = try await Self.collect(engine.submit(Self.request(maxTokens: 5) { $0.stopStrings = [" two"] }))
        #expect(result.texts == [0: "one t"] && result.reasons == [0: .length])
    }

    @Test("several choices come in one stream")
    func choices() async throws {
        let engine = Self.engine(ReciteExecutor("abc"))
        defer { engine.stop() }
        let result = try await Self.collect(engine.submit(Self.request { $0.choiceCount = 3 }))
        #expect(result.texts == [0: "abc", 1: "abc", 2: "abc"])
        #expect(result.reasons.count == 3)
    }

    @Test("a client that goes away frees its blocks, and others go on")
    func abort() async throws {
        let listener = Listener()
        let gate = Gate()
        let engine = Self.engine(ReciteExecutor(String(repeating: "x", count: 150), gate: gate), policy: listener)
        gate.open(steps: 1)
        let task = Task {
            for try await _ in try engine.submit(Self.request(maxTokens: 150)) { break }
        }
        try await task.value
        let stream = try engine.submit(Self.request(maxTokens: 4))
        // Enough for the other, and far from enough for the one that is gone.
        gate.open(steps: 20)
        let other = try await Self.collect(stream)
        #expect(other.texts == [0: "xxxx"])
        #expect(listener.reasons.all.withLock { $0 } == [.abort, .length])
        gate.open(steps: 1_000)
        // Statistics are those of the last step, which has ended when `stop` returns.
        engine.stop()
        #expect(engine.statistics.runningCount == 0)
        #expect(engine.statistics.freeBlockCount == engine.statistics.blockCount)
    }

    @Test("a failed step ends its requests with the reason, and the engine goes on")
    func failure() async throws {
        let engine = Self.engine(ReciteExecutor("abcdef", failsAtStep: 3))
        defer { engine.stop() }
        let failed = try await Self.collect(engine.submit(Self.request()))
        #expect(failed.texts == [0: "ab"] && failed.reasons == [0: .failure("device lost")])
        let next = try await Self.collect(engine.submit(Self.request()))
        #expect(next.texts == [0: "abcdef"])
    }

    /// Refuses requests with a tenant, and names what it knows of them.
    struct Bouncer: SchedulerPolicy {
        mutating func decide(
            among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
        ) -> AdmissionDecision {
            let request = candidates[0].request
            guard !request.tenant.isEmpty else { return .admit(request.id) }
            let seconds = request.deadline?.seconds(since: request.arrival) ?? 0
            return .reject(request.id, reason: "\(request.tenant), \(request.priority), \(seconds)")
        }
    }

    @Test("a policy knows tenant, priority and deadline, and the requests that it refuses end with its reason")
    func rejection() async throws {
        let engine = Self.engine(ReciteExecutor("abc"), policy: Bouncer())
        defer { engine.stop() }
        let refused = try await Self.collect(
            engine.submit(
                Self.request {
                    $0.attributes.tenant = "mallory"
                    $0.attributes.priority = 3
                    $0.attributes.deadlineSeconds = 1.5
                    $0.choiceCount = 2
                }))
        #expect(refused.reasons == [0: .rejected("mallory, 3, 1.5"), 1: .rejected("mallory, 3, 1.5")])
        #expect(refused.tokens.isEmpty)
        let served = try await Self.collect(engine.submit(Self.request()))
        #expect(served.texts == [0: "abc"])
        // A stream may end before the statistics of its last step are published; stopping waits for that.
        engine.stop()
        #expect(engine.statistics.freeBlockCount == engine.statistics.blockCount)
    }

    /// Has an answer to nothing.
    struct Clueless: SchedulerPolicy {
        struct Despair: Error, CustomStringConvertible { let description = "no idea" }

        mutating func share(of load: EngineLoad, at now: EngineInstant) throws -> BudgetShare { throw Despair() }

        mutating func victimRank(of running: RequestView, at now: EngineInstant) throws -> Double { throw Despair() }
    }

    /// What is said, in order.
    final class Reports: Sendable {
        let lines = Mutex<[String]>([])
    }

    @Test("the first failure of a policy is reported at once, and failures change no tokens")
    func policyFailures() async throws {
        let reports = Reports()
        let engine = Self.engine(ReciteExecutor("abc"), policy: Clueless()) { line in
            reports.lines.withLock { $0.append(line) }
        }
        defer { engine.stop() }
        let result = try await Self.collect(engine.submit(Self.request()))
        #expect(result.texts == [0: "abc"])
        engine.stop()
        #expect(engine.statistics.policyFailures.count(of: .share) >= 4)
        #expect(
            reports.lines.withLock { $0 } == [
                "the scheduling policy failed to decide, so fcfs did; 1 times by now: no idea "
                    + "(since the start: share 1)"
            ])
    }

    @Test("requests that can never run are refused at once, with the reason")
    func refusals() throws {
        let engine = Self.engine(ReciteExecutor("a"), maxWaiting: 2)
        defer { engine.stop() }
        #expect(throws: EngineError.promptEmpty) { try engine.submit(GenerationRequest(prompt: [])) }
        #expect(throws: EngineError.promptTooLong(tokenCount: 200, limit: 200)) {
            try engine.submit(GenerationRequest(prompt: [Int32](repeating: 1, count: 200)))
        }
        #expect(throws: EngineError.tokenOutOfVocabulary(field: "prompt", token: 257, vocabularySize: 257)) {
            try engine.submit(GenerationRequest(prompt: [257]))
        }
        #expect(throws: EngineError.tooManyChoices(3, limit: 2)) {
            try engine.submit(Self.request { $0.choiceCount = 3 })
        }
    }

    @Test("a full queue refuses, and stopping ends every stream")
    func queueAndStop() async throws {
        let gate = Gate()
        let engine = Self.engine(ReciteExecutor(String(repeating: "x", count: 100), gate: gate), maxWaiting: 2)
        let first = try engine.submit(Self.request(maxTokens: 100))
        let second = try engine.submit(Self.request(maxTokens: 100))
        // The gate is closed: at most one step has begun, and its requests still count as waiting.
        #expect(throws: EngineError.queueFull(limit: 2)) { try engine.submit(Self.request()) }
        gate.open(steps: 3)
        let stopped = Task {
            gate.open(steps: 1_000)
            engine.stop()
        }
        let reasons = [try await Self.collect(first).reasons[0], try await Self.collect(second).reasons[0]]
        await stopped.value
        #expect(reasons.allSatisfy { $0 == .abort || $0 == .length })
        #expect(throws: EngineError.shuttingDown) { try engine.submit(Self.request()) }
    }
}
