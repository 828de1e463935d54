import Backends
import CPUKernels
import SharedValues
import Tensors

/// Activations as integers of a few bytes, 32 to a record (`quire_digits_fn`).
struct QuantizedActivations: Hashable {
    /// Bytes of a number: 1, 2 or 3.
    let byteCount: Int
    /// Bytes of a record.
    let recordByteCount: Int

    /// Numbers of a record.
    static let recordSize = 32

    /// Records of a row of `width` numbers.
    static func recordCount(width: Int) -> Int { width.dividedUp(by: recordSize) }
}

/// The kernels of an instruction set that multiply packed weights, and what they read.
struct PackedKernels {
    private let kernels: UnsafePointer<quire_kernels>
    private let activations: ActivationType

    /// Throws `unavailable` for integers where the instruction set has no products of them.
    init(_ kernels: UnsafePointer<quire_kernels>, _ activations: ActivationType) throws(BackendError) {
        self.kernels = kernels
        self.activations = activations
        guard activations == .f32 || kernels.pointee.linear_int8 != nil else {
            let name = String(cString: quire_isa_name(kernels.pointee.isa))
            throw .unavailable(
                device: "cpu", reason: "\(name) has no products of integers, which activations as \(activations) take")
        }
    }

    /// The integers that weights of `type` are multiplied with; nil: floats.
    ///
    /// Two bytes are more exact than a rounding to 16 bits. Three are what 32-bit floats are, and only taken for those where
    /// they are faster.
    func digits(for type: ElementType) -> QuantizedActivations? {
        guard activations != .f32 || type != .f32 || kernels.pointee.linear_quantized == nil else { return nil }
        let byteCount = activations.byteCount ?? (type == .f32 ? 3 : 2)
        return digitKernels(byteCount).map {
            QuantizedActivations(byteCount: byteCount, recordByteCount: $0.pointee.record_byte_count)
        }
    }

    /// What multiplies with `digits`, or with floats.
    func linear(_ digits: QuantizedActivations?) -> quire_quantized_linear_fn {
        let function =
            digits.map { digitKernels($0.byteCount)?.pointee.linear } ?? kernels.pointee.linear_quantized
        guard let function else { preconditionFailure("activations that this instruction set does not have") }
        return function
    }

    /// What makes `digits` of floats.
    func conversion(to digits: QuantizedActivations) -> quire_digits_fn {
        guard let kernels = digitKernels(digits.byteCount) else {
            preconditionFailure("activations that this instruction set does not have")
        }
        return kernels.pointee.from_f32
    }

    private func digitKernels(_ byteCount: Int) -> UnsafePointer<quire_digit_kernels>? {
        switch byteCount {
        case 1: kernels.pointee.linear_int8
        case 2: kernels.pointee.linear_int16
        default: kernels.pointee.linear_int24
        }
    }
}
