import Backends
import CPUKernels
import SharedValues
import Tensors

/// A quantized matrix for the kernels: how its rows are stored, and how its panels are laid out.
struct QuantizedFormat: Sendable {
    let matrix: quire_quantized
    let stored: quire_stored_rows

    /// Throws `unsupported` for groups that no kernel takes.
    init(_ matrix: QuantizedMatrix) throws(BackendError) {
        switch matrix.layout {
        case .groups(let format):
            // Groups end where a slice of 32 inputs does. A group that is a whole row may have any length.
            let isWhole = format.groupSize >= matrix.inputSize
            let groupSize = isWhole ? (matrix.inputSize + 31) / 32 * 32 : format.groupSize
            guard groupSize % 32 == 0 else {
                throw .unsupported(operation: "linear", reason: "groups of \(groupSize), not a multiple of 32")
            }
            stored = .groups
            self.matrix = quire_quantized(
                n: matrix.outputSize, k: matrix.inputSize, bits: format.bitCount, group_size: groupSize,
                scaling: format.hasZeros ? .zeros : .centred, scale_dtype: format.scaleType.kernelType)
        case .blocks(let format):
            let kind = format.kernelFormat
            stored = kind.stored
            self.matrix = quire_quantized(
                n: matrix.outputSize, k: matrix.inputSize, bits: kind.bits, group_size: kind.bits == 6 ? 16 : 32,
                scaling: kind.scaling, scale_dtype: .f16)
        }
        let groupCount = self.matrix.k.dividedUp(by: self.matrix.group_size)
        guard groupCount <= Int(quire_max_group_count) else {
            throw .unsupported(operation: "linear", reason: "\(groupCount) groups in a row")
        }
    }

    /// Bytes of a panel of 64 outputs.
    var panelByteCount: Int { withUnsafePointer(to: matrix) { quire_quantized_panel_byte_count($0) } }
}

extension BlockFormat {
    fileprivate var kernelFormat: (stored: quire_stored_rows, bits: Int, scaling: quire_scaling) {
        switch self {
        case .q4_0: (.q4_0, 4, .centred)
        case .q4_1: (.q4_1, 4, .minimum)
        case .q5_0: (.q5_0, 5, .centred)
        case .q5_1: (.q5_1, 5, .minimum)
        case .q8_0: (.q8_0, 8, .centred)
        case .q4K: (.q4_k, 4, .nestedMinimum)
        case .q5K: (.q5_k, 5, .nestedMinimum)
        case .q6K: (.q6_k, 6, .nestedCentred)
        }
    }
}
