import Backends
import CPUKernels
import SharedValues
import Tensors

/// A quantized matrix for the kernels: how its rows are handed over, and how its panels are laid out.
struct QuantizedFormat {
    let matrix: quire_quantized
    let stored: quire_stored_rows
    /// The blocks that have to be unpacked before rows are handed over; nil: rows are handed over as they are stored.
    private let blocks: BlockFormat?

    /// `grids` has the tables of all formats that need one. Throws `unsupported` for groups that no kernel takes.
    init(_ matrix: QuantizedMatrix, grids: GridTables) throws(BackendError) {
        let format: CodeFormat
        switch matrix.layout {
        case .groups(let groups):
            (format, stored, blocks) = (groups.codeFormat, .groups, nil)
        case .blocks(let block):
            (format, stored, blocks) = (block.codeFormat, block.gridValues == nil ? .unpacked : .grid, block)
        }
        // Groups end where a slice of inputs does. A group that is a whole row may have any length.
        let isWhole = format.groupSize >= matrix.inputSize
        let groupSize = isWhole ? matrix.inputSize.roundedUp(to: 32) : format.groupSize
        guard groupSize == 16 || groupSize % 32 == 0 else {
            throw .unsupported(operation: "linear", reason: "groups of \(groupSize), not 16 or a multiple of 32")
        }
        var kernelMatrix = quire_quantized(format, n: matrix.outputSize, k: matrix.inputSize, groupSize: groupSize)
        if let blocks, let values = blocks.gridValues {
            kernelMatrix.setGrid(values, grids.rows(of: blocks))
        }
        self.matrix = kernelMatrix
        let groupCount = matrix.inputSize.dividedUp(by: groupSize)
        guard groupCount <= Int(quire_max_group_count) else {
            throw .unsupported(operation: "linear", reason: "\(groupCount) groups in a row")
        }
    }

    /// Bytes of a panel of 64 outputs.
    var panelByteCount: Int { withUnsafePointer(to: matrix) { quire_quantized_panel_byte_count($0) } }

    /// Bytes of a row that is handed over; nil: those of a stored row.
    var unpackedRowByteCount: Int? { blocks.map { UnpackedRow($0, inputSize: Int(matrix.k)).byteCount } }

    /// Unpacks a stored row to `target`, `unpackedRowByteCount` bytes, as `stored` says.
    func unpack(_ row: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
        guard let blocks else { return }
        UnpackedRow(blocks, inputSize: Int(matrix.k)).unpack(row, to: target)
    }
}

extension quire_quantized {
    /// A matrix `[n, k]` of codes in `format`.
    init(_ format: CodeFormat, n: Int, k: Int, groupSize: Int) {
        self.init()
        self.n = n
        self.k = k
        bits = format.bitCount
        group_size = groupSize
        scaling = format.scaling.kernelScaling
        scale_dtype = format.scaleType.kernelType
        factor = format.factor
        switch format.values {
        case .integers(let middle):
            values = .integers
            self.middle = Float(middle)
        case .float8: values = .float8
        case .book(let entries):
            // Kernels multiply unsigned bytes, so the lowest entry becomes zero.
            let lowest = entries.min()
            values = .book
            middle = -Float(lowest)
            let bytes = SIMD16<UInt8>(truncatingIfNeeded: entries &- SIMD16(repeating: lowest))
            withUnsafeMutableBytes(of: &book) { $0.storeBytes(of: bytes, as: SIMD16<UInt8>.self) }
        }
    }

    /// Makes the codes rows of a grid, of which `rows` is the table. IQ formats store the scale as `s`, not `2 s + 1`.
    fileprivate mutating func setGrid(_ values: BlockFormat.GridValues, _ rows: UnsafePointer<UInt32>?) {
        grid = rows
        switch values {
        case .signed: (self.values, scaling) = (.signedGrid, .nestedOdd)
        case .shifted: (self.values, scaling) = (.shiftedGrid, .nestedOdd)
        case .ternary: self.values = .ternaryGrid
        }
    }
}

extension CodeFormat.Scaling {
    /// The kernels' name for it.
    fileprivate var kernelScaling: quire_scaling {
        switch self {
        case .centred: .centred
        case .zeros: .zeros
        case .minimum: .minimum
        case .nestedMinimum: .nestedMinimum
        case .nestedCentred: .nestedCentred
        case .nestedNibbles: .nestedNibbles
        }
    }
}
