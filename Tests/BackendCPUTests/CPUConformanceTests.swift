import BackendCPU
import BackendConformance
import Backends
import Tensors
import Testing

/// A backend of the CPU, by instruction set and thread count.
private struct Variant: CustomTestStringConvertible {
    let instructionSet: InstructionSet
    let threadCount: Int

    var testDescription: String { "\(instructionSet) with \(threadCount) threads" }

    /// The suite on such a backend.
    func suite(_ activations: ActivationType = .f32) throws -> BackendConformance {
        BackendConformance(
            try CPUBackend(threadCount: threadCount, instructionSet: instructionSet, activations: activations))
    }
}

@Suite struct CPUConformanceTests {
    /// Every case on every instruction set. The number of threads rotates: every case meets each of them on some
    /// instruction set, as what threads share does not depend on their instructions.
    @Test("Every operation agrees with the reference, for every instruction set")
    func everything() throws {
        let variants = InstructionSet.allCases.filter(\.isAvailable).map { set in
            [1, 2, 3].map { Variant(instructionSet: set, threadCount: $0) }
        }
        let suites = try variants.map { try $0.map { try $0.suite() } }
        for (index, trial) in BackendConformance.cases().enumerated() {
            let chosen = suites.indices.map { (index + $0) % 3 }
            let results = try BackendConformance.run(trial, on: suites.indices.map { suites[$0][chosen[$0]] })
            for (number, result) in results.enumerated() {
                #expect(result.hasPassed, "\(result), \(variants[number][chosen[number]].testDescription)")
            }
        }
    }

    @Test("Integers that are asked for are as exact as they say", arguments: [ActivationType.int24, .int16, .int8])
    func integersAreAsExactAsTheySay(activations: ActivationType) throws {
        let variants = InstructionSet.allCases.filter { $0.isAvailable && $0 != .portable }
            .map { Variant(instructionSet: $0, threadCount: 2) }
        let suites = try variants.map { try $0.suite(activations) }
        let exact: ElementType = activations == .int24 ? .f32 : .bf16
        // Each byte is seven bits: a step is 2^14 times smaller, squared. 16 bits lose what 16-bit types do not see.
        let bound = activations == .int16 ? 1e-8 : Double.infinity
        for trial in BackendConformance.cases(weightTypes: [], cacheTypes: [], activationTypes: [exact])
        where trial.name.hasPrefix("linear") {
            for (variant, result) in zip(variants, try BackendConformance.run(trial, on: suites)) {
                #expect(result.hasPassed && result.error <= bound, "\(result), \(variant.testDescription)")
            }
        }
    }

    @Test("Integers without products of them are refused")
    func integersNeedProducts() {
        #expect {
            try CPUBackend(threadCount: 1, instructionSet: .portable, activations: .int16)
        } throws: { error in
            "\(error)".contains("portable") && "\(error)".contains("int16")
        }
    }
}
