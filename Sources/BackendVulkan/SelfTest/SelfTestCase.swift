import Backends
import Tensors

/// Inputs of one kernel and what must come out.
struct SelfTestCase {
    /// The content of each binding; what the kernel writes starts as NaN.
    var bindings: [[UInt32]]
    /// The kernel's numbers after the first.
    var constants: [UInt32]
    var rowCount: Int
    var rowsPerGroup = 1
    var groupCount = 1
    /// The binding that the kernel writes.
    var output: Int
    var expected: [Double]
    /// The largest mean squared error, relative to the mean square of the expected numbers: what sums in another order
    /// and exponentials of a few units in the last place cost, and no more.
    var tolerance = 1e-9
    /// Turns the output's words into as many numbers as are expected.
    var read: ([UInt32]) -> [Float] = { $0.map { Float(bitPattern: $0) } }

    /// A case for a kernel of `kind` with these constants; `rowsPerGroup` where the variant decides it.
    static func make(_ kind: KernelKind, _ constants: [String: Int], rowsPerGroup: Int?) -> SelfTestCase {
        switch kind {
        case .embed: embed(constants)
        case .norm: norm()
        case .addNorm: addNorm(constants)
        case .addNormDigits: makingDigits(addNorm(constants), constants, outputStride: 7)
        case .linearFewRows, .linearManyRows: linear(constants, rowsPerGroup: rowsPerGroup ?? constants["ROWS"] ?? 1)
        case .linearManyRowsHalf: linearHalf(constants, rowsPerGroup: rowsPerGroup ?? constants["ROWS"] ?? 1)
        case .packedEmbed: packedEmbed(constants)
        case .packedFewRows, .packedManyRows:
            packedLinear(constants, rowsPerGroup: rowsPerGroup ?? constants["ROWS"] ?? 1)
        case .digits: digits(constants)
        case .packedDotFewRows, .packedDotManyRows:
            packedDot(constants, rowsPerGroup: rowsPerGroup ?? constants["ROWS"] ?? 1)
        case .headToValue: head(cacheType: nil)
        case .headToCache: head(cacheType: cacheType(constants))
        case .attention: attention(constants)
        case .attentionReduce: attentionReduce(constants)
        case .attentionReduceDigits: makingDigits(attentionReduce(constants), constants, outputStride: 0)
        case .gated: gated()
        case .gatedDigits: makingDigits(gated(), constants, outputStride: 5)
        case .add: add()
        case .gather: gather()
        case .reorder: reorder()
        case .softCap: softCap()
        case .candidatesSegment: candidatesSegment()
        case .candidatesMerge: candidatesMerge()
        }
    }

    /// Numbers between -1 and 1 that look random and are the same everywhere.
    static func numbers(_ count: Int, seed: Int) -> [Float] {
        (0..<count).map { index in
            let mixed = UInt32(truncatingIfNeeded: index &* 747_796_405 &+ seed &* 277_803_737) &* 2_654_435_769
            return Float(Int32(bitPattern: mixed)) / Float(Int32.max)
        }
    }

    static func bits(_ numbers: [Float]) -> [UInt32] { numbers.map(\.bitPattern) }

    /// Room for `count` numbers that the kernel must write.
    static func unwritten(_ count: Int) -> [UInt32] { [UInt32](repeating: 0xFFFF_FFFF, count: count) }

    /// The type behind the constants `…_BITS` and `…_IS_BFLOAT`.
    static func elementType(_ constants: [String: Int], _ prefix: String) -> ElementType {
        if constants["\(prefix)_BITS"] == 32 { return .f32 }
        return constants["\(prefix)_IS_BFLOAT"] == 1 ? .bf16 : .f16
    }

    /// The words of a tensor, row after row.
    static func words(_ tensor: HostTensor) -> [UInt32] {
        tensor.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self) }
        }
    }
}
