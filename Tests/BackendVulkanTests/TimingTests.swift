import Backends
import Testing

@testable import BackendConformance
@testable import BackendVulkan

@Suite(.serialized) struct TimingTests {
    @Test("Every kernel of a step is timed, with what it moves and computes", arguments: TestDevice.all)
    func timings(device: TestDevice) throws {
        var card = device
        card.limits.without = [.processorLanes]
        let backend = try card.backend()
        let model = SmallModel()
        let prepared = try model.prepare(on: backend).plan
        let expected = try model.step(prepared, first: 0, count: 20)
        var batch = ForwardBatch()
        batch.append(
            tokens: (0..<20).map { Int32($0 * 7 % PlanSketch.vocabularySize) }, firstPosition: 0,
            blocks: (0..<38).map { Int32($0 * 2) }, blockSize: 16)
        batch.sampleRows = [19]
        batch.rowRequests = [RowRequest(inverseTemperature: 1)]
        let before = backend.counters.dispatches
        let timings = try prepared.time(batch)
        #expect(backend.counters.dispatches - before == timings.count)
        #expect(timings.allSatisfy { $0.seconds >= 0 && $0.seconds < 60 && !$0.label.isEmpty && $0.byteCount > 0 })
        #expect(timings.reduce(0) { $0 + $1.seconds } > 0)
        // Queries, keys and values in one matrix: 128 rows of 64 numbers of 16 bits, and 20 rows in and out.
        let linear = try #require(timings.first { $0.label == "linear 64 to 128 bf16" })
        #expect(linear.byteCount == 128 * 64 * 2 + 20 * (64 + 128) * 4)
        #expect(linear.operationCount == 20 * 2 * 64 * 128)
        // 20 positions of keys and values, 2 heads of 16 numbers of 16 bits; 4 heads of queries over 400 pairs.
        let attention = try #require(timings.first { $0.label == "attention 4/2 of 16 f16" })
        #expect(attention.byteCount == 20 * 2 * 32 * 2)
        #expect(attention.operationCount == 20 * 20 * 4 * 16 * 4)
        #expect(timings.last?.label == "candidates, merged")
        // It computes what an untimed step computes.
        #expect(try model.step(prepared, first: 0, count: 20) == expected)
        #expect(backend.validationMessages == [])
    }

    @Test("Bandwidth and rate of arithmetic are measured", arguments: TestDevice.all)
    func speed(device: TestDevice) throws {
        let backend = try device.backend()
        let speed = try backend.measureSpeed()
        // Generous bounds, for any device.
        #expect(speed.memoryBytesPerSecond > 1e6 && speed.memoryBytesPerSecond < 1e15)
        #expect(speed.operationsPerSecond > 1e6 && speed.operationsPerSecond < 1e18)
        #expect(backend.validationMessages == [])
    }
}
