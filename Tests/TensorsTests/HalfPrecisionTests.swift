import Testing

@testable import Tensors

@Suite("Half precision")
struct HalfPrecisionTests {
    @Test("every bfloat16 survives the way to float and back")
    func everyPattern() {
        for pattern in UInt16.min...UInt16.max {
            let value = BFloat16(bitPattern: pattern)
            let back = BFloat16(value.float)
            if value.float.isNaN {
                #expect(back.float.isNaN)
            } else if back != value {
                Issue.record("\(pattern) came back as \(back.bitPattern)")
            }
        }
    }

    @Test(
        "rounding is to nearest, ties to even",
        arguments: [
            (0x3F80_8000, 0x3F80), (0x3F81_8000, 0x3F82), (0x3F80_8001, 0x3F81), (0x3F80_7FFF, 0x3F80),
            (0x7F7F_FFFF, 0x7F80), (0xFF80_0000, 0xFF80), (0x0000_8000, 0x0000), (0x8000_0000, 0x8000),
        ] as [(UInt32, UInt16)])
    func rounding(bits: UInt32, expected: UInt16) {
        #expect(BFloat16(Float(bitPattern: bits)).bitPattern == expected)
    }

    @Test("a NaN whose payload is in the lower half stays a NaN")
    func notANumber() {
        #expect(BFloat16(Float(bitPattern: 0x7F80_0001)).float.isNaN)
    }

    @Test("a tensor gives its numbers back, rounded to its type", arguments: ElementType.allCases)
    func tensor(type: ElementType) {
        let values: [Float] = [0, 1, -2.5, 1024, 0.0009765625, -0.15625]
        let tensor = HostTensor(values, shape: [2, 3], as: type)
        #expect(tensor.floats() == values)
        #expect(tensor.byteCount == 6 * type.byteCount)
        #expect(LinearWeights.dense(tensor).inputSize == 3 && LinearWeights.dense(tensor).outputSize == 2)
    }

    @Test("an E4M3 float has four bits of exponent, biased by seven, and three of mantissa")
    func float8() {
        for code in UInt8.min...UInt8.max {
            let (exponent, mantissa) = (Int(code >> 3 & 15), Double(code & 7))
            let magnitude =
                exponent == 0
                ? mantissa / 512 : (1 + mantissa / 8) * Double(sign: .plus, exponent: exponent - 7, significand: 1)
            #expect(Double(Float(float8: code)) == (code < 128 ? magnitude : -magnitude))
        }
        #expect(Float(float8: 0x7E) == 448 && Float(float8: 0x01) == 0x1p-9)
    }
}
