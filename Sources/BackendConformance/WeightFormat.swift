public import Tensors

/// A quantized format that a backend may execute, in which the suite makes weights.
public struct WeightFormat: Sendable, Hashable, CustomStringConvertible {
    /// How rows are stored.
    enum Kind: Sendable, Hashable {
        /// Groups of `size` inputs; nil: one group for each row.
        case groups(bitCount: Int, size: Int?, scaleType: ElementType, hasZeros: Bool, isReordered: Bool)
        /// Floats of eight bits, in such groups.
        case float8(size: Int?)
        case blocks(BlockFormat)
    }

    let kind: Kind

    /// Codes of `bitCount` bits in groups of `groupSize` inputs, nil for one group a row. With `isReordered`, a group's
    /// inputs are not neighbours (GPTQ's `desc_act`).
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

    /// E4M3 floats in groups of `groupSize` inputs, nil for one group a row.
    public static func float8(groupSize: Int?) -> WeightFormat { WeightFormat(kind: .float8(size: groupSize)) }

    /// GGUF's blocks, and group formats: every number of bits with each group size, scale type, zeros and order.
    public static let all: [WeightFormat] = {
        var formats = BlockFormat.allCases.map { WeightFormat.blocks($0) }
        for bitCount in GroupFormat.bitCounts {
            for groupSize in [16, 32, 128, nil] {
                formats.append(.groups(bitCount: bitCount, groupSize: groupSize))
            }
            formats.append(.groups(bitCount: bitCount, groupSize: 32, scaleType: .bf16, hasZeros: false))
            formats.append(.groups(bitCount: bitCount, groupSize: 64, scaleType: .f32))
            formats.append(.groups(bitCount: bitCount, groupSize: 32, isReordered: true))
        }
        formats += [.float8(groupSize: 128), .float8(groupSize: nil)]
        return formats
    }()

    /// Whether it can store a table of embeddings, whose rows are looked up: only where columns are in order.
    var isTable: Bool {
        if case .groups(_, _, _, _, let isReordered) = kind { return !isReordered }
        return true
    }

    /// Whether it can store rows of `inputSize` numbers.
    func fits(inputSize: Int) -> Bool {
        if case .blocks(let format) = kind { return inputSize % format.elementCount == 0 }
        return true
    }

    public var description: String {
        switch kind {
        case .blocks(let format): return format.rawValue
        case .float8(let size): return "E4M3 in groups of \(size.map { "\($0)" } ?? "a column")"
        case .groups(let bitCount, let size, let scaleType, let hasZeros, let isReordered):
            return "int\(bitCount) groups of \(size.map { "\($0)" } ?? "a column"), \(scaleType) scales"
                + (hasZeros ? ", zeros" : "") + (isReordered ? ", reordered" : "")
        }
    }
}
