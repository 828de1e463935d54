import CPUKernels
import Testing

/// A function that multiplies with quantized weights, and how it wants its input rows.
struct QuantizedProduct: CustomStringConvertible {
    let table: KernelTable
    /// What makes and reads the integers; nil: floats.
    let digits: quire_digit_kernels?
    private let linear: quire_quantized_linear_fn

    /// Bytes of a number of the input; nil: floats.
    let byteCount: Int?

    var description: String { "\(table.testDescription), \(byteCount.map { "\($0) bytes" } ?? "floats")" }

    /// The functions of `table`: from floats, and from integers.
    static func all(_ table: KernelTable) -> [QuantizedProduct] {
        let kernels = table.kernels
        var products: [QuantizedProduct] = []
        if let linear = kernels.linear_quantized {
            products.append(QuantizedProduct(table: table, digits: nil, linear: linear, byteCount: nil))
        }
        for (index, digits) in [kernels.linear_int8, kernels.linear_int16, kernels.linear_int24].enumerated() {
            guard let digits else { continue }
            products.append(
                QuantizedProduct(
                    table: table, digits: digits.pointee, linear: digits.pointee.linear, byteCount: index + 1))
        }
        return products
    }

    /// Every one on this CPU.
    static let available = KernelTable.available.flatMap(all)

    /// `y = rows · weightsᵀ + bias` for `panels`; `rows`: [m, k], `y`: [m, n].
    func run(
        _ matrix: quire_quantized, packed: [UInt8], rows: [Float], m: Int, bias: [Float]?, panels: Range<Int>,
        y: inout [Float]
    ) {
        let bias = bias ?? []
        var records: [UInt8] = []
        var stride = matrix.k
        if let digits {
            stride = (matrix.k + 31) / 32
            records = [UInt8](repeating: 0xFF, count: m * stride * digits.record_byte_count)
            digits.from_f32(rows, matrix.k, nil, &records, stride, m, matrix.k)
        }
        withUnsafePointer(to: matrix) { matrix in
            rows.withUnsafeBytes { rows in
                records.withUnsafeBytes { records in
                    bias.withUnsafeBufferPointer { bias in
                        guard let x = digits == nil ? rows.baseAddress : records.baseAddress else { return }
                        linear(
                            matrix, packed, x, stride, &y, matrix.pointee.n, m,
                            bias.isEmpty ? nil : bias.baseAddress, panels.lowerBound, panels.upperBound)
                    }
                }
            }
        }
    }

    /// How far a number of a slice may be from what it becomes, `largest` being the slice's largest.
    func roundingError(largest: Float) -> Double {
        guard let byteCount else { return 0 }
        return Double(largest) / Double(127 << (7 * (byteCount - 1))) / 2
    }
}
