import Backends
import SharedValues
import Tensors

/// How quantized weights lie on the device (`quantized_weights.glsl`): codes in slices of 32 inputs, each a stream of
/// bits, and scales in a range of their own, group by group. Every stored layout is brought into such a format exactly.
struct QuantizedFormat: Hashable, CustomStringConvertible {
    /// The weight that a code q of a group stands for.
    enum Scaling: Int {
        /// `scale (q - 2^(bitCount - 1))`.
        case centred
        /// `scale (q - zero)`.
        case zeros
        /// `scale q + minimum`.
        case minimum
        /// `d s q - e m`: d and e of eight groups, s and m of one byte each.
        case nestedMinimum
        /// `d s (q - 32)`: d of sixteen groups, s of one signed byte.
        case nestedCentred
    }

    /// Inputs of a slice.
    static let slice = 32
    /// Rows of a tile.
    static let tile = DeviceMatrix.tile

    /// Bits of a code: 2, 3, 4, 5, 6 or 8.
    let bitCount: Int
    let scaling: Scaling
    let scaleType: ElementType
    /// Inputs of a group: 16 with nested centred scales, else a multiple of 32; nil: all of a row.
    let groupSize: Int?

    /// The format for rows of `inputSize` numbers in `layout`. Throws `unsupported` for groups that end inside of a slice.
    init(_ layout: QuantizedLayout, inputSize: Int) throws(BackendError) {
        switch layout {
        case .groups(let format):
            let isWhole = format.groupSize >= inputSize
            guard isWhole || format.groupSize % Self.slice == 0 else {
                throw .unsupported(operation: "linear", reason: "groups of \(format.groupSize), not a multiple of 32")
            }
            self.init(
                bitCount: format.bitCount, scaling: format.hasZeros ? .zeros : .centred, scaleType: format.scaleType,
                groupSize: isWhole ? nil : format.groupSize)
        case .blocks(let format):
            let (bitCount, scaling): (Int, Scaling) =
                switch format {
                case .q4_0: (4, .centred)
                case .q4_1: (4, .minimum)
                case .q5_0: (5, .centred)
                case .q5_1: (5, .minimum)
                case .q8_0: (8, .centred)
                case .q4K: (4, .nestedMinimum)
                case .q5K: (5, .nestedMinimum)
                case .q6K: (6, .nestedCentred)
                }
            self.init(
                bitCount: bitCount, scaling: scaling, scaleType: .f16, groupSize: scaling == .nestedCentred ? 16 : 32)
        }
    }

    init(bitCount: Int, scaling: Scaling, scaleType: ElementType, groupSize: Int?) {
        self.bitCount = bitCount
        self.scaling = scaling
        self.scaleType = scaleType
        self.groupSize = groupSize
    }

    /// Bits and groups, for people.
    var description: String { "int\(bitCount) groups of \(groupSize.map { "\($0)" } ?? "a row")" }

    /// Words of a row that lie together, so that one load reads them.
    var unit: Int { bitCount % 4 == 0 ? 4 : bitCount % 2 == 0 ? 2 : 1 }

    /// Bits of a stored zero: four for three, so that none straddles two words.
    var zeroBitCount: Int { bitCount == 3 ? 4 : bitCount }

    /// Slices of a row, the last of which may be padded with zeros.
    func sliceCount(inputSize: Int) -> Int { inputSize.dividedUp(by: Self.slice) }

    /// Groups of a row.
    func groupCount(inputSize: Int) -> Int { groupSize.map { inputSize.dividedUp(by: $0) } ?? 1 }

    /// Bytes of a tile's codes.
    func codesByteCount(inputSize: Int) -> Int { sliceCount(inputSize: inputSize) * bitCount * Self.tile * 4 }

    /// Bytes of the scales of a tile's rows, without those of many groups.
    var scaleByteCount: Int { Self.tile * scaleType.byteCount }

    /// Bytes of the scales of a group of a tile.
    var groupByteCount: Int {
        switch scaling {
        case .centred: scaleByteCount
        case .zeros: scaleByteCount + Self.tile * zeroBitCount / 8
        case .minimum: Self.tile * 4
        case .nestedMinimum: Self.tile * 2
        case .nestedCentred: Self.tile
        }
    }

    /// How many groups share outer scales, and their bytes in a tile.
    var outer: (groupCount: Int, byteCount: Int) {
        switch scaling {
        case .centred, .zeros, .minimum: (1, 0)
        case .nestedMinimum: (8, Self.tile * 4)
        case .nestedCentred: (16, Self.tile * 2)
        }
    }

    /// Bytes of all scales of a tile.
    func scalesByteCount(inputSize: Int) -> Int {
        let count = groupCount(inputSize: inputSize)
        return count * groupByteCount + count.dividedUp(by: outer.groupCount) * outer.byteCount
    }
}
