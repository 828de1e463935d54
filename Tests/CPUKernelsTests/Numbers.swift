import CPUKernels
import SharedValues

/// Repeatable numbers.
struct Numbers {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func next() -> UInt64 { random.next() }

    /// Uniform in `-bound ..< bound`.
    mutating func floats(_ count: Int, bound: Float = 1) -> [Float] {
        (0..<count).map { _ in (Float(next() >> 40) / Float(1 << 23) - 1) * bound }
    }

    /// A permutation of `0 ..< count`.
    mutating func permutation(_ count: Int) -> [Int32] {
        var result = (0..<Int32(count)).map { $0 }
        for i in stride(from: count - 1, to: 0, by: -1) { result.swapAt(i, Int(next() % UInt64(i + 1))) }
        return result
    }
}

/// Numbers in one of the element types, and what they are exactly.
struct Stored {
    let type: quire_dtype
    /// The bit patterns, as many bytes as the type takes.
    var bytes: [UInt8]
    /// The stored numbers, after their rounding.
    let values: [Float]

    init(_ numbers: [Float], as type: quire_dtype) {
        self.type = type
        switch type {
        case .f32:
            values = numbers
            bytes = numbers.withUnsafeBytes { Array($0) }
        case .f16:
            let halves = numbers.map { Float16($0) }
            values = halves.map { Float($0) }
            bytes = halves.withUnsafeBytes { Array($0) }
        case .bf16:
            let patterns = numbers.map(Self.bfloat16)
            values = patterns.map { Float(bitPattern: UInt32($0) << 16) }
            bytes = patterns.withUnsafeBytes { Array($0) }
        case .int8: preconditionFailure("numbers with a scale for each head")
        }
    }

    /// Nearest, ties to even; decided by comparing distances, not by the kernels' arithmetic on bits.
    static func bfloat16(_ number: Float) -> UInt16 {
        let below = UInt16(truncatingIfNeeded: number.bitPattern >> 16)
        if number.isNaN { return below | 0x40 }
        if number.isInfinite { return below }
        let above = below + 1
        let low = Double(Float(bitPattern: UInt32(below) << 16))
        let next = Float(bitPattern: UInt32(above) << 16)
        // Past the largest number the next step stands for infinity and counts as one step away.
        let high = next.isInfinite ? low * (256.0 / 255.0) : Double(next)
        let down = abs(Double(number) - low)
        let up = abs(high - Double(number))
        if down == up { return below % 2 == 0 ? below : above }
        return down < up ? below : above
    }
}

/// Bytes of one number.
func byteCount(_ type: quire_dtype) -> Int { type == .f32 ? 4 : 2 }

/// Bit patterns, so that -0 differs from 0 and NaN equals itself.
func bits(_ values: some Sequence<Float>) -> [UInt32] { values.map(\.bitPattern) }
