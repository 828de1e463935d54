/// Percentiles of many positive numbers in bounded memory: buckets whose width grows with the value, each at most
/// 1/64 of it (the idea of HdrHistogram).
public struct Histogram: Sendable, Hashable {
    private static let bucketsPerOctave = 64.0
    /// Numbers below this fall into the first bucket.
    private static let lowest = 0x1p-20

    private var counts: [UInt32] = []
    public private(set) var count = 0
    public private(set) var sum = 0.0
    /// 0 when there are none.
    public private(set) var maximum = 0.0

    public init() {}

    /// 0 when there are none.
    public var mean: Double { count == 0 ? 0 : sum / Double(count) }

    /// Adds `value`, `times` over. Negative ones count as 0.
    public mutating func add(_ value: Double, times: Int = 1) {
        guard value.isFinite, times > 0 else { return }
        count += times
        sum += max(value, 0) * Double(times)
        maximum = max(maximum, value)
        let index = Self.bucket(of: value)
        if index >= counts.count { counts += Array(repeating: 0, count: index + 1 - counts.count) }
        counts[index] &+= UInt32(truncatingIfNeeded: times)
    }

    /// The value that a fraction `quantile`, 0 to 1, of the numbers does not exceed, to within 1/64; 0 when there are none.
    public func value(atQuantile quantile: Double) -> Double {
        guard count > 0 else { return 0 }
        let rank = max(1, Int((quantile * Double(count)).rounded(.up)))
        var seen = 0
        for (index, bucketCount) in counts.enumerated() {
            seen += Int(bucketCount)
            if seen >= rank { return min(Self.upperBound(of: index), maximum) }
        }
        return maximum
    }

    /// Exponent and the leading bits of the fraction: linear within an octave, and no logarithm to compute.
    private static func bucket(of value: Double) -> Int {
        guard value > lowest else { return 0 }
        let octave = Int(value.exponent - lowest.exponent)
        return 1 + octave * Int(bucketsPerOctave) + Int((value.significand - 1) * bucketsPerOctave)
    }

    private static func upperBound(of bucket: Int) -> Double {
        guard bucket > 0 else { return lowest }
        let (octave, step) = (bucket - 1).quotientAndRemainder(dividingBy: Int(bucketsPerOctave))
        return Double(sign: .plus, exponent: octave, significand: lowest) * (1 + Double(step + 1) / bucketsPerOctave)
    }
}
