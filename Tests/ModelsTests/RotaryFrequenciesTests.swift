import Testing
import Weights

@testable import Models

@Suite struct RotaryFrequenciesTests {
    @Test func `plain frequencies fall from one by powers of theta`() throws {
        let frequencies = try #require(RotaryConfiguration(theta: 10_000, rotarySize: 8).frequencies())
        #expect(frequencies == [1, 0.1, 0.01, 0.001])
    }

    @Test func `linear scaling divides all frequencies`() throws {
        let rotary = RotaryConfiguration(theta: 10_000, rotarySize: 8, scaling: .linear(factor: 4))
        #expect(rotary.frequencies() == [0.25, 0.025, 0.0025, 0.00025])
    }

    /// The parameters of Llama 3.1. The goldens are results of `_compute_llama3_parameters` of transformers'
    /// modeling_rope_utils.py in NumPy's float64.
    @Test func `Llama 3's scaling keeps high frequencies, divides low ones and interpolates between`() throws {
        let scaling = RotaryConfiguration.Scaling.llama3(
            factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositionCount: 8192)
        let frequencies = try #require(
            RotaryConfiguration(theta: 500_000, rotarySize: 128, scaling: scaling).frequencies())
        #expect(frequencies.count == 64)
        let goldens: [(pair: Int, frequency: Float)] = [
            (0, 1.0), (1, 0.8146172165870667), (28, 0.0032114461064338684), (29, 0.0021665708627551794),
            (32, 0.000524846138432622), (35, 9.556212171446532e-05), (36, 7.784655463183299e-05),
            (63, 3.068925877869333e-07),
        ]
        for golden in goldens {
            #expect(abs(frequencies[golden.pair] / golden.frequency - 1) < 1e-6, "pair \(golden.pair)")
        }
    }

    @Test func `divisors are applied, and unknown scalings have no frequencies`() {
        let rotary = RotaryConfiguration(theta: 10_000, rotarySize: 4)
        #expect(rotary.frequencies(divisors: [2, 10]) == [0.5, 0.001])
        #expect(RotaryConfiguration(theta: 1, rotarySize: 4, scaling: .other("yarn")).frequencies() == nil)
    }
}
