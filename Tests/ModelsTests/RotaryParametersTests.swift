import Backends
import Testing
import Weights

@testable import Models

/// Values of transformers 5.24, `modeling_rope_utils.py`, in double precision.
@Suite struct RotaryParametersTests {
    private func frequencies(
        _ scaling: RotaryParameters.Scaling, theta: Double = 10_000, size: Int = 8, headSize: Int? = nil,
        maxPositionCount: Int = 64, contextLength: Int = 64, divisors: [Float]? = nil
    ) -> [Float] {
        RotaryParameters(
            theta: theta, rotarySize: size, headSize: headSize, scaling: scaling, maxPositionCount: maxPositionCount
        ).embedding(pairing: .halves, contextLength: contextLength, divisors: divisors).frequencies
    }

    private func expectEqual(_ found: [Float], _ expected: [Float]) {
        #expect(found.count == expected.count)
        for (left, right) in zip(found, expected) { #expect(abs(left - right) <= 1e-6 * abs(right), "\(found)") }
    }

    @Test func `plain frequencies fall from one by powers of theta`() {
        #expect(frequencies(.none) == [1, 0.1, 0.01, 0.001])
    }

    @Test func `linear scaling divides all frequencies, and divisors divide each`() {
        #expect(frequencies(.linear(factor: 4)) == [0.25, 0.025, 0.0025, 0.00025])
        #expect(frequencies(.none, size: 4, divisors: [2, 10]) == [0.5, 0.001])
    }

    /// The parameters of Llama 3.1.
    @Test func `Llama 3's scaling keeps high frequencies, divides low ones and interpolates between`() {
        let found = frequencies(
            .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalLength: 8192), theta: 500_000,
            size: 128)
        #expect(found.count == 64)
        let goldens: [(pair: Int, frequency: Float)] = [
            (0, 1.0), (1, 0.8146172165870667), (28, 0.0032114461064338684), (29, 0.0021665708627551794),
            (32, 0.000524846138432622), (35, 9.556212171446532e-05), (36, 7.784655463183299e-05),
            (63, 3.068925877869333e-07),
        ]
        for golden in goldens { expectEqual([found[golden.pair]], [golden.frequency]) }
    }

    @Test func `dynamic scaling changes the base only where contexts are longer than the model's`() {
        #expect(frequencies(.dynamic(factor: 2)) == frequencies(.none))
        // The base is 10,000 * (2 * 128 / 64 - 1) ^ (8 / 6).
        expectEqual(
            frequencies(.dynamic(factor: 2), contextLength: 128),
            frequencies(.none, theta: 10_000 * 4.326748710922225))
        expectEqual(frequencies(.base(alpha: 3)), frequencies(.none, theta: 10_000 * 4.326748710922225))
    }

    @Test func `YaRN interpolates low frequencies and multiplies cosine and sine`() {
        let scaling = RotaryParameters.Scaling.yarn(
            factor: 4, originalLength: 32, betaFast: 32, betaSlow: 1, magnitude: 1.25, isTruncated: true)
        let parameters = RotaryParameters(theta: 10_000, rotarySize: 16, scaling: scaling)
        let rotary = parameters.embedding(pairing: .interleaved, contextLength: 128)
        #expect(rotary.pairing == .interleaved && rotary.magnitude == 1.25)
        // The ramp goes from pair 0 to pair 2.
        expectEqual(Array(rotary.frequencies.prefix(3)), [1, 0.31622776 * (0.5 + 0.125), 0.1 / 4])
        #expect(abs(RotaryParameters.yarnMagnitude(factor: 4) - 1.138629436111989) < 1e-12)
        #expect(RotaryParameters.yarnMagnitude(factor: 1) == 1)
    }

    @Test func `LongRoPE has divisors for short and for long contexts`() {
        let scaling = RotaryParameters.Scaling.longRope(
            short: [1, 1, 1, 2], long: [1, 2, 4, 8], originalLength: 32, magnitude: 1.5)
        expectEqual(frequencies(scaling, contextLength: 32), [1, 0.1, 0.01, 0.0005])
        expectEqual(frequencies(scaling, contextLength: 33), [1, 0.05, 0.0025, 0.000125])
        #expect(abs(RotaryParameters.longRopeMagnitude(factor: 32, originalLength: 4096) - 1.1902380714238083) < 1e-9)
    }

    @Test func `proportional scaling turns only the first pairs, with the whole head's frequencies`() {
        #expect(frequencies(.proportional(factor: 1), size: 4, headSize: 8) == [1, 0.1, 0, 0])
    }

    @Test(arguments: [
        (#"{"rope_theta":100}"#, 100.0, RotaryParameters.Scaling.none),
        (#"{"rope_parameters":{"rope_theta":100000,"rope_type":"default"}}"#, 1e5, .none),
        (#"{"rope_theta":1e5,"rope_scaling":null}"#, 1e5, .none),
        (#"{"rope_scaling":{"type":"linear","factor":2}}"#, 1e4, .linear(factor: 2)),
        (#"{"rope_parameters":{"rope_type":"linear","factor":4.0,"rope_theta":7}}"#, 7, .linear(factor: 4)),
        (
            // The old key has precedence over the new one.
            #"{"rope_parameters":{"rope_type":"default","rope_theta":100},"rope_scaling":{"type":"linear","factor":2},"rope_theta":7}"#,
            7, .linear(factor: 2)
        ),
        (
            #"{"rope_scaling":{"rope_type":"yarn","factor":4,"original_max_position_embeddings":16}}"#, 1e4,
            .yarn(
                factor: 4, originalLength: 16, betaFast: 32, betaSlow: 1, magnitude: 1.138629436111989,
                isTruncated: true)
        ),
        (
            #"{"rope_scaling":{"type":"su","long_factor":[2,3],"short_factor":[1,1],"factor":1},"original_max_position_embeddings":8}"#,
            1e4, .longRope(short: [1, 1], long: [2, 3], originalLength: 8, magnitude: 1)
        ),
    ])
    func `parameters of transformers 4 and 5 are read`(
        json: String, theta: Double, scaling: RotaryParameters.Scaling
    ) throws {
        let config = #"{"model_type":"llama","max_position_embeddings":64,"# + json.dropFirst()
        let found = try RotaryParameters(try metadata(config), headSize: 4)
        #expect(
            found
                == RotaryParameters(theta: theta, rotarySize: 4, headSize: 4, scaling: scaling, maxPositionCount: 64))
    }

    private static let llama3 = #""rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0"#

    /// transformers reads the length beside the parameters first, then the one inside of them, then the model's.
    @Test(arguments: [
        ("", "32", 32), (#","original_max_position_embeddings":48"#, "32", 32),
        (#","original_max_position_embeddings":48"#, "null", 48), ("", "null", 64), ("", "32.0", 32),
    ])
    func `the original length is read in both positions`(inside: String, outside: String, expected: Int) throws {
        for key in ["rope_parameters", "rope_scaling"] {
            let config = """
                {"model_type":"llama","max_position_embeddings":64,"original_max_position_embeddings":\(outside),\
                "\(key)":{\(Self.llama3)\(inside)}}
                """
            let expected = RotaryParameters.Scaling.llama3(
                factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalLength: expected)
            #expect(try RotaryParameters(try metadata(config), headSize: 8).scaling == expected)
        }
    }

    @Test(arguments: [
        (#""rope_scaling":{"rope_type":"other"}"#, "rope_scaling.rope_type other is not supported yet"),
        (#""rope_scaling":{"rope_type":"linear"}"#, "key rope_scaling.factor is missing"),
        (#""rope_theta":-1"#, "key rope_theta must be a positive number"),
        (#""rope_scaling":[]"#, "key rope_scaling must be"),
        (
            #""rope_parameters":{"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":1}"#,
            "key rope_parameters.high_freq_factor must be"
        ),
        (
            #""rope_scaling":{"type":"longrope","long_factor":[1],"short_factor":[1,1]}"#,
            "key rope_scaling.short_factor must be 4 positive numbers"
        ),
        // With scaled positions, transformers computes half of the angles and fails.
        (
            #""rope_scaling":{"type":"linear","factor":2},"partial_rotary_factor":0.5"#,
            "partial_rotary_factor 0.5 is not supported yet"
        ),
    ])
    func `what cannot be used is named`(json: String, words: String) throws {
        let config = #"{"model_type":"llama","max_position_embeddings":64,"# + json + "}"
        let error = #expect(throws: WeightLoadingError.self) {
            try RotaryParameters(try metadata(config), headSize: 8)
        }
        let description = try #require(error).description
        #expect(description.contains(words), "\(description)")
    }

    @Test func `GGUF states scalings in other words`() throws {
        func scaling(_ values: [String: GGUFValue]) throws -> RotaryParameters.Scaling {
            try RotaryParameters(try tinyGGUF(values), headSize: 4).scaling
        }
        // As in llama.cpp, a missing type means linear and a missing factor one.
        #expect(try scaling(["rope.scaling.factor": .number(4)]) == .linear(factor: 4))
        #expect(try scaling(["rope.scale_linear": .number(2)]) == .linear(factor: 2))
        #expect(try scaling(["rope.scaling.type": .string("linear")]) == .none)
        #expect(try scaling(["rope.scaling.type": .string("none"), "rope.scaling.factor": .number(4)]) == .none)
        let yarn: [String: GGUFValue] = [
            "rope.scaling.type": .string("yarn"), "rope.scaling.factor": .number(4),
            "rope.scaling.original_context_length": .integer(16),
        ]
        #expect(
            try scaling(yarn)
                == .yarn(
                    factor: 4, originalLength: 16, betaFast: 32, betaSlow: 1, magnitude: 1.138629436111989,
                    isTruncated: true))
    }
}
