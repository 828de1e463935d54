import Backends
import CPUKernels
import SharedValues
import Tensors

/// Activations as integers of one to three int8 limbs, in records of 32 numbers with one scale (`quire_quantize_fn`).
struct QuantizedActivations: Hashable {
    /// Limbs of a number: 1, 2 or 3.
    let limbCount: Int
    let recordByteCount: Int

    /// Numbers of a record.
    static let recordSize = 32

    /// Records of a row of `width` numbers.
    static func recordCount(width: Int) -> Int { width.dividedUp(by: recordSize) }
}

/// The kernels of an instruction set that multiply quantized weights, and the activations that they read.
struct QuantizedKernels {
    private let kernels: UnsafePointer<quire_kernels>
    private let type: ActivationType

    /// Throws `unavailable` for integers where the instruction set has no integer products.
    init(_ kernels: UnsafePointer<quire_kernels>, _ type: ActivationType) throws(BackendError) {
        self.kernels = kernels
        self.type = type
        guard type == .f32 || kernels.pointee.linear_int8 != nil else {
            let name = String(cString: quire_isa_name(kernels.pointee.isa))
            throw .unavailable(
                device: "cpu", reason: "\(name) has no integer products, which activations of type \(type) need")
        }
    }

    /// The quantized activations for `matrix`; nil: 32-bit floats, with which E4M3 weights are always multiplied.
    ///
    /// Where the configuration does not choose, 16-bit types take two limbs, which are more exact than 16-bit floats.
    /// 32-bit floats take three, which are as exact, but only where integer products of three limbs are faster.
    func activations(for matrix: QuantizedMatrix) -> QuantizedActivations? {
        let computeType = matrix.computeType
        guard !matrix.layout.isFloat8 else { return nil }
        guard type != .f32 || computeType != .f32 || kernels.pointee.linear_quantized == nil else { return nil }
        let limbCount = type.byteCount ?? (computeType == .f32 ? 3 : 2)
        return limbKernels(limbCount).map {
            QuantizedActivations(limbCount: limbCount, recordByteCount: $0.pointee.record_byte_count)
        }
    }

    /// The kernel that multiplies `activations`, or 32-bit floats, with quantized weights.
    func linear(_ activations: QuantizedActivations?, isFloat8: Bool) -> quire_quantized_linear_fn {
        guard !isFloat8 else { return kernels.pointee.linear_float8 }
        let function =
            activations.map { limbKernels($0.limbCount)?.pointee.linear } ?? kernels.pointee.linear_quantized
        guard let function else { preconditionFailure("activations that this instruction set does not have") }
        return function
    }

    /// The kernel that quantizes 32-bit floats.
    func quantization(to activations: QuantizedActivations) -> quire_quantize_fn {
        guard let kernels = limbKernels(activations.limbCount) else {
            preconditionFailure("activations that this instruction set does not have")
        }
        return kernels.pointee.quantize
    }

    private func limbKernels(_ limbCount: Int) -> UnsafePointer<quire_limb_kernels>? {
        switch limbCount {
        case 1: kernels.pointee.linear_int8
        case 2: kernels.pointee.linear_int16
        default: kernels.pointee.linear_int24
        }
    }
}
