import InferenceEngine
import KVCaching
import Requests
import Scheduling
import Simulation
import Synchronization
import Testing
import Tokenization

@testable import Benchmarking

@Suite("Replaying traces")
struct TraceReplayTests {
    /// Every token is a full stop.
    struct StopTokenizer: Tokenizer {
        let vocabularySize = 50
        let specialTokens: [String: Int32] = [:]

        func encode(_ text: String, addSpecialTokens: Bool, parseSpecialTokens: Bool) -> [Int32] { [] }
        func bytes(of token: Int32) -> [UInt8]? { [46] }
        func isSpecial(_ token: Int32) -> Bool { false }
    }

    static let limits = SchedulerLimits(maxBatchedTokenCount: 32, maxSequenceCount: 4, maxModelLength: 64)

    /// Preemptions that the executor received.
    final class Preemptions: Sendable {
        let count = Mutex(0)
    }

    /// The scripted executor, counting.
    struct CountingExecutor: ModelExecutor {
        var scripted: ScriptedExecutor
        let preemptions: Preemptions

        mutating func execute(_ output: SchedulerOutput) throws -> ModelRunnerOutput {
            preemptions.count.withLock { $0 += output.preempted.count }
            return scripted.execute(output)
        }
    }

    static func engine(blockCount: Int, preemptions: Preemptions = Preemptions()) -> AsyncLLMEngine {
        AsyncLLMEngine(
            LLMEngine(
                scheduler: Scheduler(
                    limits: limits, cache: KVCacheManager(blockCount: blockCount, blockSize: 4),
                    policy: FirstComeFirstServed()),
                executor: CountingExecutor(
                    scripted: ScriptedExecutor(vocabularySize: 50, blockCount: blockCount, blockSize: 4),
                    preemptions: preemptions),
                tokenizer: StopTokenizer()),
            limits: AsyncLLMEngine.Limits(maxModelLength: 64, vocabularySize: 50, maxWaitingCount: 100))
    }

    static let trace = (0..<12).map { index in
        TraceRequest(arrivalSeconds: 0, promptCount: 20 + index, outputCount: 30 - index)
    }

    struct List: Trace {
        var requests: [TraceRequest]
        mutating func next() -> TraceRequest? { requests.isEmpty ? nil : requests.removeFirst() }
    }

    @Test("every request gets as many tokens as the trace says, and preemptions are counted")
    func replay() async throws {
        let preemptions = Preemptions()
        let engine = Self.engine(blockCount: 20, preemptions: preemptions)
        defer { engine.stop() }
        let replay = TraceReplay(engine)
        let statistics = try await replay.warmUp()
        #expect(statistics.blockCount == 20)
        let figures = try await replay.run(Self.trace) { _ in }
        #expect(figures.requestCount == 12)
        #expect(figures.outputTokenCount == Self.trace.reduce(0) { $0 + $1.outputCount })
        // Twenty blocks are 80 tokens: not even two of these requests fit to their ends. How many meet depends on the clock.
        #expect(figures.preemptionCount == preemptions.count.withLock { $0 })
        #expect((figures.recomputedTokenCount > 0) == (figures.preemptionCount > 0))
        #expect(figures.secondsToFirstToken.mean > 0 && figures.secondsToLastToken.p99 <= figures.seconds)
    }

    @Test("each figure of the engine stands beside the simulation's")
    func simulated() async throws {
        let requests = Self.trace
        let engine = Self.engine(blockCount: 20)
        defer { engine.stop() }
        let replay = TraceReplay(engine)
        _ = try await replay.warmUp()
        let measured = try await replay.run(requests) { _ in }
        var setup = SimulationSetup(
            limits: Self.limits, blockCount: 20, blockSize: 4,
            cost: StepCost(
                fixedSeconds: 1, promptTokenSeconds: 0, sequenceSeconds: 0, contextTokenSeconds: 0))
        setup.areOutputsLimited = true
        var list = List(requests: requests)
        let predicted = try Simulation(setup, policy: FirstComeFirstServed(), named: "fcfs").run(&list)
        #expect(predicted.requests.finished == measured.requestCount)
        #expect(predicted.tokens.output == measured.outputTokenCount)
        let figures = TracePrediction(measured, predicted).figures
        #expect(Set(figures.map(\.name)).count == figures.count && figures.count == 17)
        #expect(figures.first { $0.name == "preemptions" }?.measured == Double(measured.preemptionCount))
        #expect(figures.first { $0.name == "preemptions" }?.predicted == Double(predicted.preemptionCount))
    }

    @Test("an error is the prediction's, as a share of what was measured")
    func errors() throws {
        func error(_ measured: Double, _ predicted: Double) -> Double? {
            TracePrediction.Figure(name: "", unit: .count, measured: measured, predicted: predicted).error
        }
        #expect(error(2, 3) == 0.5 && error(4, 3) == -0.25 && error(0, 0) == 0 && error(0, 1) == nil)
    }

    @Test("prompts of a trace: equal prefixes are equal, tokens exist")
    func prompts() {
        var request = TraceRequest(arrivalSeconds: 0, promptCount: 20, outputCount: 1)
        (request.prefixID, request.prefixCount) = ("a", 12)
        let (first, second) = (
            request.promptTokens(number: 1, vocabularySize: 50), request.promptTokens(number: 2, vocabularySize: 50)
        )
        #expect(first.prefix(12) == second.prefix(12) && first != second && first.count == 20)
        #expect((first + second).allSatisfy { (0..<50).contains($0) })
    }
}
