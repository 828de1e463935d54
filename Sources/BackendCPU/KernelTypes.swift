import Backends
import CPUKernels
import Tensors

extension ElementType {
    /// The kernels' name for it.
    var kernelType: quire_dtype {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        }
    }
}

extension CacheType {
    /// The kernels' name for it.
    var kernelType: quire_dtype {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        case .int8: .int8
        }
    }
}

extension Activation {
    /// The kernels' name for it.
    func kernelActivation() throws(BackendError) -> quire_activation {
        switch self {
        case .silu: return .silu
        case .geluTanh: return .geluTanh
        case .gelu, .relu, .sigmoid:
            throw .unsupported(operation: "gatedActivation", reason: "the cpu backend has no kernel for \(rawValue)")
        }
    }
}

extension RotaryEmbedding.Pairing {
    /// The kernels' name for it.
    var kernelPairing: quire_pairing {
        switch self {
        case .halves: .halves
        case .interleaved: .interleaved
        }
    }
}

extension MemoryRange {
    /// Its first byte. Precondition: memory of this backend, which is on the host.
    var start: UnsafeMutableRawPointer {
        guard let hostPointer else { preconditionFailure("the cpu backend lives on the host") }
        return hostPointer
    }
}
