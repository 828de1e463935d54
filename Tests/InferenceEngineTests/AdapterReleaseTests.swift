import InferenceEngine
import KVCaching
import Requests
import Scheduling
import Synchronization
import Testing

@Suite("Adapters that come and go")
struct AdapterReleaseTests {
    private static func engine(_ gate: AsyncLLMEngineTests.Gate) -> AsyncLLMEngine {
        AsyncLLMEngine(
            LLMEngine(
                scheduler: Scheduler(
                    limits: SchedulerLimits(
                        maxBatchedTokenCount: 64, maxSequenceCount: 8, maxModelLength: 200, adapterSlotCount: 1),
                    cache: KVCacheManager(blockCount: 64, blockSize: 4), policy: FirstComeFirstServed()),
                executor: AsyncLLMEngineTests.ReciteExecutor("abc", gate: gate), tokenizer: ByteTokenizer()),
            limits: AsyncLLMEngine.Limits(maxModelLength: 200, vocabularySize: 257, maxWaitingCount: 100))
    }

    private static func request(_ adapter: AdapterID?) -> GenerationRequest {
        AsyncLLMEngineTests.request { $0.attributes.adapter = adapter }
    }

    @Test("an adapter is released after its last request, and takes no new ones until then")
    func release() async throws {
        let gate = AsyncLLMEngineTests.Gate()
        let engine = Self.engine(gate)
        defer { engine.stop() }
        let adapter = AdapterID(3)
        #expect(throws: EngineError.unknownAdapter) { try engine.submit(Self.request(adapter)) }
        engine.add(adapter, name: "german")
        let stream = try engine.submit(Self.request(adapter))
        let (released, continuation) = AsyncStream<Void>.makeStream()
        let isReleased = Mutex(false)
        engine.release(adapter) {
            isReleased.withLock { $0 = true }
            continuation.finish()
        }
        #expect(throws: EngineError.unknownAdapter) { try engine.submit(Self.request(adapter)) }
        gate.open(steps: 2)
        var tokens: [Int32] = []
        for try await event in stream {
            guard case .output(let output) = event else { continue }
            tokens += output.tokens
            if tokens.count == 2 {
                #expect(!isReleased.withLock { $0 })
                gate.open(steps: 10)
            }
        }
        #expect(tokens == [97, 98, 99, 256])
        for await _ in released {}
        #expect(isReleased.withLock { $0 })
        // One that is not in use is released at once.
        engine.add(AdapterID(4), name: "french")
        let (idle, end) = AsyncStream<Void>.makeStream()
        engine.release(AdapterID(4)) { end.finish() }
        for await _ in idle {}
    }

    @Test("requests that name no adapter have the default one")
    func defaultAdapter() async throws {
        let gate = AsyncLLMEngineTests.Gate()
        let engine = Self.engine(gate)
        defer { engine.stop() }
        engine.add(AdapterID(3), name: "german")
        engine.setDefaultAdapter(AdapterID(3))
        let stream = try engine.submit(Self.request(nil))
        gate.open(steps: 1)
        for try await event in stream {
            guard case .output = event else { continue }
            #expect(engine.statistics.runningAdapters == [AdapterID(3)] || engine.statistics.runningCount == 0)
            gate.open(steps: 10)
        }
        #expect(engine.statistics.adapterLoadCount == 1)
    }
}
