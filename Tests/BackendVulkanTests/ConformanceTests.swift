import BackendConformance
import BackendVulkan
import Tensors
import Testing

@Suite(.serialized) struct ConformanceTests {
    @Test("Every operation agrees with the reference, bit for bit whoever shares the batch", arguments: TestDevice.all)
    func everything(device: TestDevice) throws {
        try run(BackendConformance.cases(), on: device)
    }

    @Test("And so it does with less of a device", arguments: TestDevice.limited)
    func underLimits(device: TestDevice) throws {
        try run(
            BackendConformance.cases(weightTypes: [.bf16], cacheTypes: [.f16], weightFormats: []), on: device)
    }

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
