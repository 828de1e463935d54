public import Backends
import CLibrary

/// The rotary position embedding of a model, or of one kind of its layers, as its checkpoint states it.
public struct RotaryParameters: Sendable, Hashable {
    /// The scaling of frequencies for long contexts (transformers, `modeling_rope_utils.py`).
    public enum Scaling: Sendable, Hashable {
        case none
        /// Every frequency divided by `factor`.
        case linear(factor: Double)
        /// A larger base once sequences are longer than the model was made for ("NTK-aware").
        case dynamic(factor: Double)
        /// A base that is larger by a constant: Hunyuan's `alpha`.
        case base(alpha: Double)
        /// Low frequencies divided, high ones kept, those between interpolated; cosine and sine multiplied by `magnitude`
        /// (Peng et al., arXiv 2309.00071).
        case yarn(
            factor: Double, originalLength: Int, betaFast: Double, betaSlow: Double, magnitude: Double,
            isTruncated: Bool)
        /// Llama 3.1's: low frequencies divided, high ones kept, those between interpolated.
        case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalLength: Int)
        /// A divisor for each pair, of which there are two lists: for sequences up to `originalLength` and for longer ones
        /// (Ding et al., arXiv 2402.13753).
        case longRope(short: [Double], long: [Double], originalLength: Int, magnitude: Double)
        /// Only the first pairs of the whole head turn, with the frequencies of the whole head (Gemma 4).
        case proportional(factor: Double)
    }

    /// The base of the frequencies.
    public var theta: Double
    /// Numbers of each head that are rotated.
    public var rotarySize: Int
    public var headSize: Int
    public var scaling: Scaling
    /// The positions that the model was made for.
    public var maxPositionCount: Int

    public init(
        theta: Double, rotarySize: Int, headSize: Int? = nil, scaling: Scaling = .none, maxPositionCount: Int = 0
    ) {
        self.theta = theta
        self.rotarySize = rotarySize
        self.headSize = headSize ?? rotarySize
        self.scaling = scaling
        self.maxPositionCount = maxPositionCount
    }

    /// The embedding for sequences of up to `contextLength` tokens. `divisors`, `[rotarySize / 2]`, divide the frequencies.
    ///
    /// Scalings that depend on the length of a sequence use `contextLength` for every sequence, as vLLM does: a cached key
    /// must not depend on what follows it.
    public func embedding(
        pairing: RotaryEmbedding.Pairing, contextLength: Int, divisors: [Float]? = nil
    ) -> RotaryEmbedding {
        var frequencies = scaledFrequencies(contextLength: contextLength)
        if let divisors { frequencies = zip(frequencies, divisors).map { $0 / Double($1) } }
        return RotaryEmbedding(
            frequencies: frequencies.map { Float($0) }, pairing: pairing, magnitude: Float(magnitude))
    }

    private var magnitude: Double {
        switch scaling {
        case .yarn(_, _, _, _, let magnitude, _), .longRope(_, _, _, let magnitude): magnitude
        default: 1
        }
    }

    /// The angle of each pair per position: `theta^(-2i / size)`.
    private func frequencies(theta: Double, size: Int) -> [Double] {
        (0..<size / 2).map { pow(theta, -2 * Double($0) / Double(size)) }
    }

    private func scaledFrequencies(contextLength: Int) -> [Double] {
        let plain = frequencies(theta: theta, size: rotarySize)
        // The exponent that makes the slowest pair turn as far over the longer context.
        let exponent = Double(rotarySize) / Double(max(rotarySize - 2, 1))
        switch scaling {
        case .none: return plain
        case .linear(let factor): return plain.map { $0 / factor }
        case .dynamic(let factor):
            let length = Double(max(contextLength, maxPositionCount)) / Double(max(maxPositionCount, 1))
            return frequencies(theta: theta * pow(factor * length - (factor - 1), exponent), size: rotarySize)
        case .base(let alpha): return frequencies(theta: theta * pow(alpha, exponent), size: rotarySize)
        case .yarn(let factor, let length, let betaFast, let betaSlow, _, let isTruncated):
            let ramp = yarnRamp(length: Double(length), betaFast, betaSlow, isTruncated)
            return plain.enumerated().map { pair, frequency in
                let interpolated = ramp(pair)
                return frequency / factor * interpolated + frequency * (1 - interpolated)
            }
        case .llama3(let factor, let low, let high, let length):
            return plain.map { frequency in
                // Rotations of the pair over the original context: high frequencies are kept, low ones are divided.
                let turns = Double(length) * frequency / (2 * Double.pi)
                if turns < low { return frequency / factor }
                if turns > high { return frequency }
                let smooth = (turns - low) / (high - low)
                return (1 - smooth) * frequency / factor + smooth * frequency
            }
        case .longRope(let short, let long, let length, _):
            return zip(plain, contextLength > length ? long : short).map { $0 / $1 }
        case .proportional(let factor):
            let whole = frequencies(theta: theta, size: headSize).map { $0 / factor }
            return whole.enumerated().map { $0 < rotarySize / 2 ? $1 : 0 }
        }
    }

    /// How far pair `i` is interpolated, 0 to 1.
    private func yarnRamp(
        length: Double, _ betaFast: Double, _ betaSlow: Double, _ isTruncated: Bool
    ) -> (Int) -> Double {
        /// The pair that turns `rotations` times over the original context.
        func pair(_ rotations: Double) -> Double {
            Double(rotarySize) * log(length / (rotations * 2 * Double.pi)) / (2 * log(theta))
        }
        var (low, high) = (pair(betaFast), pair(betaSlow))
        if isTruncated { (low, high) = (low.rounded(.down), high.rounded(.up)) }
        low = max(low, 0)
        high = min(high, Double(rotarySize - 1))
        // Both ends may be the same pair.
        if low == high { high += 0.001 }
        return { min(max((Double($0) - low) / (high - low), 0), 1) }
    }

    /// YaRN's factor of cosine and sine for a context that is `factor` times as long.
    static func yarnMagnitude(factor: Double, multiplier: Double = 1) -> Double {
        factor <= 1 ? 1 : 0.1 * multiplier * log(factor) + 1
    }

    /// LongRoPE's.
    static func longRopeMagnitude(factor: Double, originalLength: Int) -> Double {
        factor <= 1 ? 1 : (1 + log(factor) / log(Double(originalLength))).squareRoot()
    }
}
