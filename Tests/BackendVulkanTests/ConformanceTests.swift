import BackendConformance
import BackendVulkan
import Testing

@Suite(.serialized) struct ConformanceTests {
    static let cases = BackendConformance.cases()

    @Test(arguments: TestDevice.all)
    func everyOperationAgreesWithTheReference(device: TestDevice) throws {
        let backend = try device.backend()
        let suite = BackendConformance(backend)
        for trial in Self.cases {
            let result = try suite.run(trial)
            #expect(result.hasPassed, "\(result)")
        }
        #expect(backend.validationMessages?.first == nil)
    }
}
