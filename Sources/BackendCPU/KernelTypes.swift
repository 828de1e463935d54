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

extension PointwiseActivation {
    /// The kernels' name for it.
    var kernelActivation: quire_activation {
        switch self {
        case .silu: .silu
        case .geluTanh: .geluTanh
        case .gelu: .gelu
        case .relu: .relu
        case .sigmoid: .sigmoid
        case .reluSquared: .reluSquared
        case .xielu: .xielu
        }
    }

    /// The numbers of xIELU; zeros for the others, which read none.
    var kernelNumbers: quire_xielu {
        guard case .xielu(let positive, let negative, let beta, let epsilon) = self else { return quire_xielu() }
        return quire_xielu(alpha_positive: positive, alpha_negative: negative, beta: beta, epsilon: epsilon)
    }
}

extension Activation {
    /// What the kernels compute of gate and up.
    var kernelFunction: RowKernel.Gated.Function {
        switch self {
        case .silu: .product(.silu)
        case .geluTanh: .product(.geluTanh)
        case .gelu: .product(.gelu)
        case .relu: .product(.relu)
        case .sigmoid: .product(.sigmoid)
        case .clampedSwiGLU(let alpha, let limit): .clampedSwiGLU(alpha: alpha, limit: limit)
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
