import BackendConformance
import BackendReference
import Testing

@Suite struct ReferenceConformanceTests {
    @Test(arguments: BackendConformance.cases())
    func theReferenceIsIndependentOfBatchesAndBlocks(trial: ConformanceCase) throws {
        let result = try BackendConformance(ReferenceBackend()).run(trial)
        #expect(result.hasPassed, "\(result)")
        #expect(result.error == 0)
    }
}
