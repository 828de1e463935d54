public import Tensors

/// A packed format that a backend may execute: what the suite makes weights of.
public struct WeightFormat: Sendable, Hashable, CustomStringConvertible {
    /// How rows are stored, before the group size is known to be that of a whole column.
    enum Kind: Sendable, Hashable {
        /// Groups of `size` inputs; nil: a whole column.
        case groups(bitCount: Int, size: Int?, scaleType: ElementType, hasZeros: Bool, isReordered: Bool)
        case blocks(BlockFormat)
    }

    let kind: Kind

    /// Quanta of `bitCount` bits in groups of `groupSize` inputs, nil for whole columns; `isReordered`: inputs of a group
    /// lie anywhere.
    public static func groups(
        bitCount: Int, groupSize: Int?, scaleType: ElementType = .f16, hasZeros: Bool = true,
        isReordered: Bool = false
    ) -> WeightFormat {
        WeightFormat(
            kind: .groups(
                bitCount: bitCount, size: groupSize, scaleType: scaleType, hasZeros: hasZeros,
                isReordered: isReordered))
    }

    /// A block format of GGUF.
    public static func blocks(_ format: BlockFormat) -> WeightFormat { WeightFormat(kind: .blocks(format)) }

    /// Every format: bits × group sizes × zeros × scale types × orders as far as they may matter, and GGUF's blocks.
    public static let all: [WeightFormat] = {
        var formats = BlockFormat.allCases.map { WeightFormat.blocks($0) }
        for bitCount in GroupFormat.bitCounts {
            for groupSize in [32, 64, 128, nil] {
                formats.append(.groups(bitCount: bitCount, groupSize: groupSize))
            }
            formats.append(.groups(bitCount: bitCount, groupSize: 32, scaleType: .bf16, hasZeros: false))
            formats.append(.groups(bitCount: bitCount, groupSize: 64, scaleType: .f32))
            formats.append(.groups(bitCount: bitCount, groupSize: 32, isReordered: true))
        }
        return formats
    }()

    /// Whether single rows can be looked up in it: not where columns are out of order, which no table of tokens is.
    var isTable: Bool {
        if case .groups(_, _, _, _, let isReordered) = kind { return !isReordered }
        return true
    }

    /// Whether rows of `inputSize` numbers can be stored so.
    func fits(inputSize: Int) -> Bool {
        if case .blocks(let format) = kind { return inputSize % format.elementCount == 0 }
        return true
    }

    /// The format with everything that tells it from others.
    public var description: String {
        switch kind {
        case .blocks(let format): return format.rawValue
        case .groups(let bitCount, let size, let scaleType, let hasZeros, let isReordered):
            return "int\(bitCount) groups of \(size.map { "\($0)" } ?? "a column"), \(scaleType) scales"
                + (hasZeros ? ", zeros" : "") + (isReordered ? ", reordered" : "")
        }
    }
}
