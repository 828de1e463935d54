import BackendCPU
import BackendConformance
import Backends
import Tensors
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

    /// Every case on every instruction set. The number of threads rotates: every case meets each of them on some
    /// instruction set, as what threads share does not depend on their instructions.
    @Test(arguments: InstructionSet.allCases.filter(\.isAvailable).enumerated().map { $0 })
    func everyOperationAgreesWithTheReference(number: Int, instructionSet: InstructionSet) throws {
        let suites = try [1, 2, 3].map {
            BackendConformance(try CPUBackend(threadCount: $0, instructionSet: instructionSet))
        }
        for (index, trial) in Self.cases.enumerated() {
            let result = try suites[(index + number) % suites.count].run(trial)
            #expect(result.hasPassed, "\(result), \((index + number) % suites.count + 1) threads")
        }
    }

    @Test("Integers that are asked for are as exact as they say", arguments: integers)
    func integersAreAsExactAsTheySay(variant: Variant, activations: ActivationType) throws {
        let backend = try CPUBackend(
            threadCount: variant.threadCount, instructionSet: variant.instructionSet, activations: activations)
        let suite = BackendConformance(backend)
        let exact: ElementType = activations == .int24 ? .f32 : .bf16
        let cases = BackendConformance.cases(weightTypes: [], cacheTypes: [], activationTypes: [exact])
            .filter { $0.name.hasPrefix("linear") }
        // Each byte is seven bits: a step is 2^14 times smaller, squared. 16 bits lose what 16-bit types do not see.
        let bound = activations == .int16 ? 1e-8 : Double.infinity
        for trial in cases {
            let result = try suite.run(trial)
            #expect(result.hasPassed && result.error <= bound, "\(result)")
        }
    }

    /// Instruction sets with products of integers, and integers.
    private static let integers = Variant.all
        .filter { $0.threadCount == 2 && $0.instructionSet != .portable }
        .flatMap { variant in [ActivationType.int24, .int16, .int8].map { (variant, $0) } }

    @Test("Integers without products of them are refused")
    func integersNeedProducts() {
        #expect {
            try CPUBackend(threadCount: 1, instructionSet: .portable, activations: .int16)
        } throws: { error in
            "\(error)".contains("portable") && "\(error)".contains("int16")
        }
    }
}
