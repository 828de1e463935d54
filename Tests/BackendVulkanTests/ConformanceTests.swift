import BackendConformance
import BackendVulkan
import Backends
import Tensors
import Testing

@Suite(.serialized) struct ConformanceTests {
    @Test("Every operation agrees with the reference, bit for bit whoever shares the batch", arguments: TestDevice.all)
    func everything(device: TestDevice) throws {
        try run(BackendConformance.cases(activationTypes: [.f32]), on: device)
    }

    @Test("And so it does with less of a device", arguments: TestDevice.limited)
    func underLimits(device: TestDevice) throws {
        try run(
            BackendConformance.cases(
                weightTypes: [.bf16], cacheTypes: [.f16], weightFormats: Self.formats, activationTypes: [.f32]),
            on: device)
    }

    /// Every number of bits, every meaning of a quantum, every type of scales.
    private static let formats =
        [BlockFormat.q4_1, .q5_0, .q5K, .q6K].map { WeightFormat.blocks($0) } + [
            .groups(bitCount: 2, groupSize: 32, scaleType: .bf16, hasZeros: false),
            .groups(bitCount: 3, groupSize: 64, isReordered: true),
            .groups(bitCount: 4, groupSize: 128, scaleType: .f32),
            .groups(bitCount: 8, groupSize: nil),
        ]

    private func run(_ cases: [ConformanceCase], on device: TestDevice) throws {
        let backend = try device.backend()
        let suite = BackendConformance(backend, batchInvariance: .bitwise)
        for trial in cases {
            let result = try suite.run(trial)
            #expect(result.hasPassed, "\(result)")
        }
        #expect(try #require(backend.validationMessages, "the validation layer is missing") == [])
    }
}
