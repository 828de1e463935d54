import BackendCPU
import BackendConformance
import Testing

/// A backend of the CPU, by instruction set and thread count.
struct Variant: Sendable, CustomTestStringConvertible {
    let instructionSet: InstructionSet
    let threadCount: Int

    var testDescription: String { "\(instructionSet) with \(threadCount) threads" }

    /// Everything that this machine can run.
    static let all = InstructionSet.allCases.filter(\.isAvailable).flatMap { set in
        [1, 2, 3].map { Variant(instructionSet: set, threadCount: $0) }
    }
}

@Suite struct CPUConformanceTests {
    static let cases = BackendConformance.cases()

    @Test(arguments: Variant.all)
    func everyOperationAgreesWithTheReference(variant: Variant) throws {
        let backend = try CPUBackend(threadCount: variant.threadCount, instructionSet: variant.instructionSet)
        let suite = BackendConformance(backend)
        for trial in Self.cases {
            let result = try suite.run(trial)
            #expect(result.hasPassed, "\(result)")
        }
    }
}
