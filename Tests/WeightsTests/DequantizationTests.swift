import Tensors
import Testing

@testable import Weights

/// Compares with `dequantize` of the package gguf; see Fixtures/make_fixtures.py.
@Suite struct DequantizationTests {
    private let quantized: GGUFSource
    private let expected: SafetensorsSource

    init() throws {
        quantized = try GGUFSource(file: fixture("quantized.gguf"))
        expected = try SafetensorsSource(file: fixture("dequantized.safetensors"))
    }

    private static let types = ["F32", "F16", "BF16"] + BlockFormat.allCases.map(\.rawValue)

    @Test func `the fixture has every type`() {
        #expect(quantized.tensorNames == Self.types.sorted())
        #expect(expected.tensorNames == Self.types.sorted())
    }

    @Test(arguments: types) func `every number equals the reference bit for bit`(type: String) throws {
        let tensor = try quantized.tensor(named: type)
        #expect(tensor.type.rawValue == type)
        #expect(tensor.shape == expected.shape(of: type))
        let reference = try expected.tensor(named: type).floats()
        #expect(try tensor.floats().map(\.bitPattern) == reference.map(\.bitPattern))
    }

    @Test(arguments: types, ElementType.allCases)
    func `conversion rounds the reference once`(type: String, elementType: ElementType) throws {
        let converted = try quantized.tensor(named: type).converted(to: elementType)
        let reference = HostTensor(
            try expected.tensor(named: type).floats(), shape: converted.shape, as: elementType)
        #expect(converted.floats().map(\.bitPattern) == reference.floats().map(\.bitPattern))
    }

    @Test func `every half is widened as by the standard library`() {
        for bits in UInt16.min...UInt16.max {
            let widened = widenHalf(bits)
            let standard = Float(Float16(bitPattern: bits))
            // Only one of the two makes signalling NaNs quiet.
            #expect(widened.bitPattern == standard.bitPattern || (widened.isNaN && standard.isNaN))
        }
    }

    @Test func `metadata of every type is read`() {
        let expected: [String: GGUFValue] = [
            "uint8": .integer(200), "int8": .integer(-100), "uint16": .integer(60_000), "int16": .integer(-30_000),
            "uint32": .integer(4_000_000_000), "int32": .integer(-2_000_000_000),
            "uint64": .unsigned(18_000_000_000_000_000_000), "int64": .integer(-9_000_000_000_000_000_000),
            "float32": .number(0.5), "float64": .number(0.1), "bool": .bool(true), "string": .string("Grüße"),
            "strings": .strings(["a", "", "ĠĊ"]), "integers": .integers([1, -2, 3]), "numbers": .numbers([0.25, -1.5]),
        ]
        for (key, value) in expected {
            #expect(quantized.metadata["test." + key] == value)
        }
        #expect(quantized.metadata["general.architecture"] == .string("llama"))
    }
}
