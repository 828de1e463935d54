import Backends
import SharedValues
import Tensors

/// How quantized weights lie on the device (`quantized_weights.glsl`): codes in slices of 32 inputs, each a stream of
/// bits, and scales in a range of their own, group by group. Every stored layout is brought into such a format exactly.
struct QuantizedFormat: Hashable, CustomStringConvertible {
    /// Inputs of a slice.
    static let slice = 32
    /// Rows of a tile.
    static let tile = DeviceMatrix.tile

    /// How weights are computed from codes. Its group size means nothing here: kernels get it with each matrix.
    let codes: CodeFormat
    /// The grid whose rows the codes are; nil: codes are stored one by one.
    let grid: GridFormat?
    /// Inputs of a group: 16, or a multiple of 32; nil: all of a row.
    let groupSize: Int?

    /// The format for rows of `inputSize` numbers in `layout`. Throws `unsupported` for groups that end inside of a slice.
    init(_ layout: QuantizedLayout, inputSize: Int) throws(BackendError) {
        let format: CodeFormat
        switch layout {
        case .groups(let groups): (format, grid) = (groups.codeFormat, nil)
        case .blocks(let blocks): (format, grid) = (blocks.codeFormat, blocks.grid)
        }
        let isWhole = format.groupSize >= inputSize
        guard isWhole || format.groupSize == 16 || format.groupSize % Self.slice == 0 else {
            throw .unsupported(
                operation: "linear", reason: "groups of \(format.groupSize), not 16 or a multiple of 32")
        }
        codes = format
        groupSize = isWhole ? nil : format.groupSize
    }

    /// Words of a slice of a row: as many as a code has bits. Of rows of a grid, the lowest bytes of the indices and the
    /// signs.
    var bitCount: Int {
        guard let grid else { return codes.bitCount }
        return 8 / grid.inputsPerIndex + (grid.hasSigns ? 1 : 0)
    }

    var scaling: CodeFormat.Scaling { codes.scaling }
    var scaleType: ElementType { codes.scaleType }

    /// Bits and groups, for people.
    var description: String {
        grid.map { "\($0)" } ?? "int\(bitCount) groups of \(groupSize.map { "\($0)" } ?? "a row")"
    }

    /// Words of a row that lie together, so that one load reads them.
    var unit: Int { bitCount % 4 == 0 ? 4 : bitCount % 2 == 0 ? 2 : 1 }

    /// Bits of a stored zero: four for three, so that none straddles two words.
    var zeroBitCount: Int { bitCount == 3 ? 4 : bitCount }

    /// Slices of a row, the last of which may be padded with zeros.
    func sliceCount(inputSize: Int) -> Int { inputSize.dividedUp(by: Self.slice) }

    /// Groups of a row. Kernels read both groups of a slice, so there are as many as fill slices.
    func groupCount(inputSize: Int) -> Int {
        guard let groupSize else { return 1 }
        return groupSize < Self.slice ? sliceCount(inputSize: inputSize) * 2 : inputSize.dividedUp(by: groupSize)
    }

    /// Bytes of a tile's codes.
    func codesByteCount(inputSize: Int) -> Int { sliceCount(inputSize: inputSize) * bitCount * Self.tile * 4 }

    /// Bits of a slice of a row that are stored beside its scales: of rows of a grid, the upper bits of the indices, and for
    /// IQ1 its signs.
    var extraBitCount: Int {
        guard let grid, grid.upperBitCount > 0 else { return 0 }
        return grid.hasSigns ? 8 : 16
    }

    /// Bytes of the scales of a group of a tile. Of rows of a grid, a slice has a byte for its one or two groups.
    var groupByteCount: Int {
        if let grid { return Self.tile * (1 + extraBitCount / 8) / grid.groupsPerSlice }
        return Self.tile * codes.groupByteCount + (scaling == .zeros ? Self.tile * zeroBitCount / 8 : 0)
    }

    /// Bytes of the scales that 256 inputs of a tile share.
    var outerByteCount: Int { Self.tile * codes.outerByteCount }

    /// What the scales of every part of a matrix begin with: the grid.
    var scalesPrefix: [UInt32] { grid?.rows ?? [] }

    /// Bytes of all scales of a tile.
    func scalesByteCount(inputSize: Int) -> Int {
        let outerCount = outerByteCount == 0 ? 0 : inputSize.dividedUp(by: CodeFormat.outerGroupSize)
        return groupCount(inputSize: inputSize) * groupByteCount + outerCount * outerByteCount
    }
}
