import InferenceEngine
import Testing

@testable import Benchmarking

@Suite("Measuring engines")
struct EngineBenchmarkTests {
    @Test("a model of 64 tokens gets a single stream that fits, and the loads as asked")
    func shortModel() async throws {
        let engine = TraceReplayTests.engine(blockCount: 64)
        defer { engine.stop() }
        var benchmark = EngineBenchmark()
        benchmark.concurrencies = [2, 3]
        benchmark.workload.requestCount = 4
        benchmark.workload.promptTokenCount = 8...8
        benchmark.workload.outputTokenCount = 5...5
        let figures = try await benchmark.run(on: engine)
        #expect(figures.prefillTokensPerSecond > 0 && figures.decodeTokensPerSecond > 0)
        #expect(figures.loads.map(\.concurrency) == [2, 3])
        #expect(figures.loads.map(\.measurement.outputTokenCount) == [20, 20])
    }
}
