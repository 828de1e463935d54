import CLibrary
internal import Weights

extension RotaryConfiguration {
    /// The angle of each pair per position, `[rotarySize / 2]`: `theta^(-2i / rotarySize)`, scaled, then divided by
    /// `divisors` if they are given. Nil: the scaling is unknown.
    func frequencies(divisors: [Float]? = nil) -> [Float]? {
        var frequencies: [Double] = []
        for pair in 0..<rotarySize / 2 {
            let plain = pow(theta, -2 * Double(pair) / Double(rotarySize))
            guard let scaled = scaled(plain) else { return nil }
            frequencies.append(scaled)
        }
        guard let divisors else { return frequencies.map { Float($0) } }
        return zip(frequencies, divisors).map { Float($0 / Double($1)) }
    }

    private func scaled(_ frequency: Double) -> Double? {
        switch scaling {
        case .none: return frequency
        case .linear(let factor): return frequency / factor
        case .llama3(let factor, let low, let high, let original):
            // Rotations of the pair over the original context: high frequencies are kept, low ones are divided
            // (transformers, modeling_rope_utils.py, `_compute_llama3_parameters`).
            let turns = Double(original) * frequency / (2 * Double.pi)
            if turns < low { return frequency / factor }
            if turns > high { return frequency }
            let smooth = (turns - low) / (high - low)
            return (1 - smooth) * frequency / factor + smooth * frequency
        case .other: return nil
        }
    }
}
