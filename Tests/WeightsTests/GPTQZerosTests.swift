import Tensors
import Testing

@testable import Weights

/// GPTQModel writes version 1 by subtracting a one in every code from whole words of zeros, so a zero of 0 borrows from
/// its neighbour.
@Suite struct GPTQZerosTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// The zeros of a module of 32 inputs in one group, whose words of zeros are `words`, one for each output.
    private func zeros(_ words: [UInt32], bitCount: Int, format: String = "gptq") throws -> [Float] {
        let outputs = words.count * 32 / bitCount
        let members = #""quant_method":"gptq","bits":\#(bitCount),"group_size":32,"checkpoint_format":"\#(format)""#
        let configuration = try quantization(members, in: directory)
        let source = try source(of: [
            .words("m.qweight", [bitCount, outputs], Array(repeating: 0, count: bitCount * outputs)),
            .words("m.qzeros", [1, words.count], words),
            .halves("m.scales", [1, outputs], Array(repeating: 1, count: outputs)),
        ])
        let weights = try QuantizedWeightLoader(configuration).linear(
            "m.weight", inputSize: 32, outputSize: outputs, from: source)
        guard case .quantized(let quantized) = weights else { return [] }
        // Every weight's code is 0, so the weight is minus the zero.
        let floats = quantized.dequantized().floats()
        return stride(from: 0, to: floats.count, by: 32).map { -floats[$0] }
    }

    @Test func `a zero that borrowed from its neighbour is restored`() throws {
        #expect(try zeros([0x8888_8850 &- 0x1111_1111], bitCount: 4) == [0, 5, 8, 8, 8, 8, 8, 8])
        #expect(try zeros([0x0000_0000 &- 0x1111_1111], bitCount: 4) == [0, 0, 0, 0, 0, 0, 0, 0])
        #expect(try zeros([0x8088_0800 &- 0x1111_1111], bitCount: 4) == [0, 0, 8, 0, 8, 8, 0, 8])
        #expect(try zeros([0xFFFF_FF0F &- 0x1111_1111], bitCount: 4) == [15, 0, 15, 15, 15, 15, 15, 15])
    }

    @Test func `zeros of two and eight bits are restored, too`() throws {
        #expect(try zeros([0x8080_0500 &- 0x0101_0101], bitCount: 8) == [0, 5, 128, 128])
        let two = try zeros([0b10_01_00_11_00 &- 0x5555_5555], bitCount: 2)
        #expect(two == [0, 3, 0, 1, 2] + Array(repeating: 0, count: 11))
    }

    /// Three words hold 32 codes of three bits. Each wraps around separately, even if it spans two words.
    @Test func `zeros of three bits wrap around one by one`() throws {
        let wanted = (0..<32).map { UInt32($0 * 5 % 8) }
        var words: [UInt32] = [0, 0, 0]
        for (index, zero) in wanted.enumerated() {
            let stored = UInt64((zero &- 1) & 7) << UInt64(index * 3 % 32)
            words[index * 3 / 32] |= UInt32(truncatingIfNeeded: stored)
            if index * 3 / 32 < 2 { words[index * 3 / 32 + 1] |= UInt32(stored >> 32) }
        }
        #expect(try zeros(words, bitCount: 3) == wanted.map { Float($0) })
    }

    @Test func `zeros of version two are not changed`() throws {
        #expect(try zeros([0x8888_8850], bitCount: 4, format: "gptq_v2") == [0, 5, 8, 8, 8, 8, 8, 8])
    }

    /// Zeros that are all in the middle of the range are not stored, in both versions.
    @Test func `zeros in the middle of the range are not stored`() throws {
        #expect(try zeros([0x7777_7777], bitCount: 4) == Array(repeating: 8, count: 8))
        #expect(try zeros([0x8888_8888], bitCount: 4, format: "gptq_v2") == Array(repeating: 8, count: 8))
    }
}
