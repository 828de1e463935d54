import CPUKernels
import Testing

/// A table that this CPU can run, as a test's argument.
struct KernelTable: Sendable, CustomTestStringConvertible {
    let isa: quire_isa

    var testDescription: String { String(cString: quire_isa_name(isa)) }

    /// The functions.
    var kernels: quire_kernels {
        guard let table = quire_kernels_for(isa) else { preconditionFailure("\(testDescription) is not there") }
        return table.pointee
    }

    /// The linear of a weight type, and the type of its activations.
    func linear(_ type: quire_dtype) -> (function: quire_linear_fn, activation: quire_dtype) {
        switch type {
        case .f32: (kernels.linear_f32, .f32)
        case .f16: (kernels.linear_f16, .f32)
        case .bf16: (kernels.linear_bf16, kernels.linear_bf16_activation)
        case .int8: preconditionFailure("a type of caches, not of weights")
        }
    }

    /// Every table that there is on this CPU.
    static let available: [KernelTable] = [.portable, .avx2, .avx512, .avx512vnni, .avx512bf16]
        .filter { quire_kernels_for($0) != nil }.map(KernelTable.init)
}

/// Every element type; int8 is one of caches only, whose heads have scales.
let elementTypes: [quire_dtype] = [.f32, .f16, .bf16]
