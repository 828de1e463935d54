import KVCaching
import Requests
import Scheduling
import Synchronization
import Testing

@testable import InferenceEngine

/// A clock that tests move by hand.
final class ManualClock: EngineClock {
    private let time = Mutex(EngineInstant(nanoseconds: 0))

    func now() -> EngineInstant { time.withLock { $0 } }

    func advance(bySeconds seconds: Double) { time.withLock { $0 = $0.advanced(bySeconds: seconds) } }
}

/// The engine stepped by hand.
@Suite("LLMEngine")
struct LLMEngineTests {
    /// Continues with the bytes of a text, several in each step, as an executor that speculates does.
    struct SeveralTokensExecutor: ModelExecutor {
        let text: [UInt8]
        let tokensPerStep: Int

        mutating func execute(_ output: SchedulerOutput) -> ModelRunnerOutput {
            ModelRunnerOutput(
                results: output.scheduled.map { scheduled in
                    guard scheduled.samplesNext else { return StepResult() }
                    let positions = scheduled.outputCount..<scheduled.outputCount + tokensPerStep
                    let tokens = positions.map { $0 < text.count ? Int32(text[$0]) : 256 }
                    return StepResult(tokens: StepTokens(tokens))
                })
        }
    }

    /// What one choice has produced.
    final class Output: Sendable {
        struct State {
            var text = ""
            var tokens: [Int32] = []
            var reason: FinishReason?
        }

        let state = Mutex(State())

        var text: String { state.withLock(\.text) }
        var tokens: [Int32] { state.withLock(\.tokens) }
        var reason: FinishReason? { state.withLock(\.reason) }

        func take(_ event: GenerationEvent) {
            state.withLock { state in
                switch event {
                case .output(let output):
                    state.text += output.text
                    state.tokens += output.tokens
                case .finished(_, let reason): state.reason = reason
                case .promptScored: break
                }
            }
        }
    }

    static func engine(
        _ text: String, tokensPerStep: Int = 1, policy: any SchedulerPolicy = FirstComeFirstServed(),
        clock: ManualClock = ManualClock(), onPolicyFailure: @escaping @Sendable (String) -> Void = { _ in }
    ) -> LLMEngine {
        LLMEngine(
            scheduler: Scheduler(
                limits: SchedulerLimits(maxBatchedTokenCount: 64, maxSequenceCount: 8, maxModelLength: 200),
                cache: KVCacheManager(blockCount: 64, blockSize: 4), policy: policy),
            executor: SeveralTokensExecutor(text: Array(text.utf8), tokensPerStep: tokensPerStep),
            tokenizer: ByteTokenizer(), clock: clock, onPolicyFailure: onPolicyFailure)
    }

    static func request(_ configure: (inout GenerationRequest) -> Void = { _ in }) -> GenerationRequest {
        var request = GenerationRequest(prompt: [1, 2, 3])
        request.sampling.maxTokens = 50
        request.sampling.endTokenIDs = [256]
        configure(&request)
        return request
    }

    @Test("a step may bring several tokens: texts, stop strings and limits are the same", arguments: [1, 2, 3, 7])
    func severalTokens(tokensPerStep: Int) {
        var engine = Self.engine("one two three", tokensPerStep: tokensPerStep)
        let (whole, stopped, cut, patient) = (Output(), Output(), Output(), Output())
        engine.submit(Self.request(), as: SubmissionID(rawValue: 1)) { whole.take($0) }
        engine.submit(Self.request { $0.stopStrings = ["o th"] }, as: SubmissionID(rawValue: 2)) { stopped.take($0) }
        engine.submit(Self.request { $0.sampling.maxTokens = 5 }, as: SubmissionID(rawValue: 3)) { cut.take($0) }
        engine.submit(
            Self.request {
                $0.stopStrings = ["e"]
                $0.sampling.minTokens = 5
            }, as: SubmissionID(rawValue: 4)
        ) { patient.take($0) }
        while !engine.isIdle { engine.step() }
        #expect(whole.text == "one two three" && whole.reason == .stopToken(256))
        #expect(whole.tokens == "one two three".utf8.map { Int32($0) } + [256])
        #expect(stopped.text == "one tw" && stopped.reason == .stopString("o th"))
        #expect(stopped.tokens == "one two th".utf8.map { Int32($0) })
        #expect(cut.text == "one t" && cut.tokens.count == 5 && cut.reason == .length)
        #expect(patient.text == "one two thr" && patient.reason == .stopString("e"))
        #expect(engine.statistics.freeBlockCount == engine.statistics.blockCount)
    }

    /// Fails to share every step's budget.
    struct Failing: SchedulerPolicy {
        struct Failure: Error, CustomStringConvertible { let description = "no idea" }

        func share(of load: EngineLoad, at now: EngineInstant) throws -> BudgetShare { throw Failure() }
    }

    @Test("failures of a policy are reported at once, later ones at most every ten seconds, with their number")
    func policyFailures() {
        let log = SentenceLog()
        let clock = ManualClock()
        var engine = Self.engine("a long text", policy: Failing(), clock: clock) { log.append($0) }
        engine.submit(Self.request(), as: SubmissionID(rawValue: 1)) { _ in }
        for seconds in [0, 9, 0.5, 0.5, 9.9] {
            clock.advance(bySeconds: seconds)
            engine.step()
        }
        #expect(log.sentences.count == 2)
        #expect(log.sentences.first?.contains("1 times by now: no idea (since the start: share 1)") == true)
        #expect(log.sentences.last?.contains("3 times by now: no idea (since the start: share 4)") == true)
    }

    final class SentenceLog: Sendable {
        private let lines = Mutex<[String]>([])
        var sentences: [String] { lines.withLock { $0 } }
        func append(_ line: String) { lines.withLock { $0.append(line) } }
    }

    @Test("a deadline counts from arrival on the engine's clock; once it has passed, the policy refuses the request")
    func deadline() {
        let clock = ManualClock()
        var engine = Self.engine(
            "ab", policy: EarliestDeadlineFirst(target: .firstToken, defaultSeconds: 60), clock: clock)
        let (late, inTime) = (Output(), Output())
        clock.advance(bySeconds: 100)
        engine.submit(Self.request { $0.attributes.deadlineSeconds = 5 }, as: SubmissionID(rawValue: 1)) {
            late.take($0)
        }
        clock.advance(bySeconds: 6)
        engine.submit(Self.request { $0.attributes.deadlineSeconds = 5 }, as: SubmissionID(rawValue: 2)) {
            inTime.take($0)
        }
        while !engine.isIdle { engine.step() }
        #expect(late.reason == .rejected("its deadline cannot be met any more, the engine is too busy"))
        #expect(inTime.text == "ab" && inTime.reason == .stopToken(256))
    }
}
