import CPUKernels
import Testing

/// A kernel that multiplies with quantized weights, and the activations that it reads.
struct QuantizedProduct: CustomStringConvertible {
    let table: KernelTable
    /// Quantizes activations and multiplies them; nil: floats.
    let limbs: quire_limb_kernels?
    private let linear: quire_quantized_linear_fn

    /// Limbs of an activation; nil: floats.
    let limbCount: Int?

    var description: String { "\(table.testDescription), \(limbCount.map { "\($0) limbs" } ?? "floats")" }

    /// The kernels of `table`: for floats, and for each number of limbs.
    static func all(_ table: KernelTable) -> [QuantizedProduct] {
        let kernels = table.kernels
        var products: [QuantizedProduct] = []
        if let linear = kernels.linear_quantized {
            products.append(QuantizedProduct(table: table, limbs: nil, linear: linear, limbCount: nil))
        }
        for (index, limbKernels) in [kernels.linear_int8, kernels.linear_int16, kernels.linear_int24].enumerated() {
            guard let limbKernels else { continue }
            products.append(
                QuantizedProduct(
                    table: table, limbs: limbKernels.pointee, linear: limbKernels.pointee.linear, limbCount: index + 1))
        }
        return products
    }

    /// Every kernel that this CPU can run.
    static let available = KernelTable.available.flatMap(all)

    /// `y = rows · weightsᵀ + bias` for `panels`; `rows`: [m, k], `y`: [m, n].
    func run(
        _ matrix: quire_quantized, prepacked: [UInt8], rows: [Float], m: Int, bias: [Float]?, panels: Range<Int>,
        y: inout [Float]
    ) {
        let bias = bias ?? []
        var records: [UInt8] = []
        var stride = matrix.k
        if let limbs {
            stride = (matrix.k + 31) / 32
            records = [UInt8](repeating: 0xFF, count: m * stride * limbs.record_byte_count)
            limbs.quantize(rows, matrix.k, nil, &records, stride, m, matrix.k)
        }
        withUnsafePointer(to: matrix) { matrix in
            rows.withUnsafeBytes { rows in
                records.withUnsafeBytes { records in
                    bias.withUnsafeBufferPointer { bias in
                        guard let x = limbs == nil ? rows.baseAddress : records.baseAddress else { return }
                        linear(
                            matrix, prepacked, x, stride, &y, matrix.pointee.n, m,
                            bias.isEmpty ? nil : bias.baseAddress, panels.lowerBound, panels.upperBound)
                    }
                }
            }
        }
    }

    /// The largest rounding error of an activation in a slice whose largest magnitude is `largest`.
    func roundingError(largest: Float) -> Double {
        guard let limbCount else { return 0 }
        return Double(largest) / Double(127 << (7 * (limbCount - 1))) / 2
    }
}

extension quire_quantized {
    /// A matrix whose codes are integers around the middle of their range.
    init(n: Int, k: Int, bits: Int, group_size: Int, scaling: quire_scaling, scale_dtype: quire_dtype) {
        self.init()
        self.n = n
        self.k = k
        self.bits = bits
        self.group_size = group_size
        self.scaling = scaling
        self.scale_dtype = scale_dtype
        values = .integers
        middle = Float(1 << (bits - 1))
        factor = 1
    }
}
