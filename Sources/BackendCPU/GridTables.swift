import Backends
import Tensors

/// The rows that indices of grid formats and of TQ1_0 select, as kernels read them (`quire_quantized.grid`). Matrices of
/// one format share a table of at most 26 kB.
struct GridTables {
    private var ranges: [BlockFormat: MemoryRange] = [:]

    /// Copies the tables that `matrices` need into memory of `pool`.
    init(of matrices: [LinearWeights], pool: MemoryPool) throws(BackendError) {
        for matrix in matrices {
            guard case .quantized(let quantized) = matrix, case .blocks(let format) = quantized.layout,
                ranges[format] == nil, let rows = format.kernelRows
            else { continue }
            let range = try pool.allocate(byteCount: rows.count * 4, for: .weights)
            rows.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { range.start.copyMemory(from: source, byteCount: bytes.count) }
            }
            ranges[format] = range
        }
    }

    /// The memory that holds them.
    var memory: [MemoryRange] { Array(ranges.values) }

    /// The rows of `format`; nil: its codes are stored one by one.
    func rows(of format: BlockFormat) -> UnsafePointer<UInt32>? {
        ranges[format].map { UnsafePointer($0.start.assumingMemoryBound(to: UInt32.self)) }
    }
}

extension BlockFormat {
    /// The kernels' number for codes that are rows of a grid; nil: codes are stored one by one.
    var gridValues: GridValues? {
        if self == .tq1_0 { return .ternary }
        return grid.map { $0.hasSigns ? .signed : .shifted }
    }

    /// What indices select in a grid (`quire_values`).
    enum GridValues {
        case signed, shifted, ternary
    }

    /// A row a word: what it has of input `i` is at bit `16 (i % 2) + width (i / 2)`, where the width is 4 in rows of
    /// four inputs and 2 in rows of eight.
    fileprivate var kernelRows: [UInt32]? {
        if self == .tq1_0 {
            return (0..<Ternary.rowCount).map { Self.kernelRow(Ternary.digits(of: $0), width: 2) }
        }
        guard let grid else { return nil }
        let inputs = grid.inputsPerIndex
        let (bits, width): (UInt32, Int) = inputs == 8 ? (2, 2) : (3, 4)
        let mask: UInt32 = (1 << bits) - 1
        // Each word has two rows, the first one lowest.
        let rows: [UInt32] = grid.rows.flatMap { [$0 & 0xFFFF, $0 >> 16] }
        return rows.map { row in
            Self.kernelRow((0..<UInt32(inputs)).map { row >> (bits * $0) & mask }, width: width)
        }
    }

    private static func kernelRow(_ codes: [UInt32], width: Int) -> UInt32 {
        var word: UInt32 = 0
        for (input, code) in codes.enumerated() { word |= code << UInt32(16 * (input % 2) + width * (input / 2)) }
        return word
    }
}

/// Eight ternary digits as one number: that of the first input counts 1, that of the second 3.
enum Ternary {
    static let rowCount = 6561

    static func digits(of index: Int) -> [UInt32] {
        var (digits, rest): ([UInt32], Int) = ([], index)
        for _ in 0..<8 {
            digits.append(UInt32(rest % 3))
            rest /= 3
        }
        return digits
    }

    @inline(__always)
    static func index(_ digits: UnsafePointer<UInt8>) -> UInt16 {
        var index: UInt16 = 0
        for input in stride(from: 7, through: 0, by: -1) { index = index &* 3 &+ UInt16(digits[input]) }
        return index
    }
}
