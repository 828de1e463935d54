import Backends
import Synchronization
import Tensors
import Testing

@testable import BackendConformance
@testable import BackendVulkan

/// How codes become values: integers, entries of a book, rows of a grid, floats of eight bits; groups of 16 and of 32.
/// `ConformanceTests` runs more shapes of fewer formats.
@Suite(.serialized) struct CodeFormatTests {
    private static let formats: [WeightFormat] =
        [
            BlockFormat.q2K, .q3K, .iq4NL, .iq4XS, .mxfp4, .iq3S, .iq3XXS, .iq2S, .iq2XS, .iq2XXS, .iq1S, .iq1M, .tq1_0,
            .tq2_0,
        ].map { .blocks($0) } + [.groups(bitCount: 4, groupSize: 16), .float8(groupSize: 128)]

    /// The kernels of a CPU's lanes, those of a card, and products of integers.
    @Test("Products and tables agree with the reference, and no kernel fails its self-test", arguments: formats)
    func agreesWithTheReference(format: WeightFormat) throws {
        for device in TestDevice.all where !device.isSlow || [.blocks(.iq2S), .blocks(.mxfp4)].contains(format) {
            for (isCard, activations) in [(false, ActivationType.f32), (true, .f32), (true, .int24)] {
                var limited = device
                limited.limits.without = isCard ? [.processorLanes, .unifiedMemory] : []
                let reports = Mutex<[String]>([])
                let backend = try limited.backend { options in
                    options.activations = activations
                    options.onFallback = { report in reports.withLock { $0.append(report) } }
                }
                let suite = BackendConformance(backend, batchInvariance: .bitwise)
                var sketch = PlanSketch(seed: 7)
                let table = sketch.quantized("table", PlanSketch.vocabularySize, 512, format, .f32)
                let weights = sketch.quantized("weights", 70, 512, format, .f32)
                let rows = sketch.linear(sketch.embed(table, 512, scale: 2), weights)
                let trial = ConformanceCase(
                    name: "\(format), \(activations)", tolerance: Tolerance.single, plan: sketch.finished(rows),
                    sequences: BackendConformance.sequences([1, 70], seed: 1), cacheType: .f32, blockSize: 16)
                let result = try suite.run(trial)
                #expect(result.hasPassed, "\(result)")
                #expect(reports.withLock { $0 } == [])
                #expect(try #require(backend.validationMessages, "the validation layer is missing") == [])
            }
        }
    }
}
