/// How the rows of a quantized matrix are stored.
public enum QuantizedLayout: Sendable, Hashable, CustomStringConvertible {
    /// Codes, zeros and scales in groups: AWQ, GPTQ and compressed-tensors.
    case groups(GroupFormat)
    /// A block format of GGUF, as its files store it.
    case blocks(BlockFormat)

    /// Bytes of a row of `inputSize` numbers. Precondition: a block format has whole blocks.
    public func rowByteCount(inputSize: Int) -> Int {
        switch self {
        case .groups(let format): format.rowByteCount(inputSize: inputSize)
        case .blocks(let format): inputSize / format.elementCount * format.byteCount
        }
    }

    /// Widens one stored row to `target`, `[inputSize]`, as the format defines it.
    public func widen(_ row: UnsafeRawPointer, inputSize: Int, to target: UnsafeMutablePointer<Float>) {
        switch self {
        case .groups(let format): format.widen(row, inputSize: inputSize, to: target)
        case .blocks(let format): format.widen(row, blockCount: inputSize / format.elementCount, to: target)
        }
    }

    /// Whether codes are floats, which are no multiples of a step: activations that they are multiplied with stay floats.
    public var isFloat8: Bool {
        if case .groups(let format) = self { return format.isFloat8 }
        return false
    }

    /// The format's name: `Q4_1`, or `int4 groups of 64` and whether zeros are stored.
    public var description: String {
        switch self {
        case .groups(let format):
            "\(format.isFloat8 ? "E4M3" : "int\(format.bitCount)") groups of \(format.groupSize), \(format.scaleType) scales"
                + (format.hasZeros ? ", zeros" : "")
        case .blocks(let format): format.rawValue
        }
    }
}
