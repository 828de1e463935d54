import Tensors
import Testing

@testable import Weights

@Suite struct SafetensorsTests {
    private static let f32 = #"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#

    @Test(arguments: ElementType.allCases)
    func `reads tensors`(type: ElementType) throws {
        let source = try source(
            safetensors([("a", [1, 2, 3, 4, 5, 6], [2, 3]), ("b", [-0.5], [1]), ("c", [], [0, 7])], as: type))
        #expect(source.tensorNames == ["a", "b", "c"])
        #expect(source.shape(of: "a") == [2, 3])
        #expect(source.shape(of: "z") == nil)
        #expect(source.byteCount == 7 * type.byteCount)
        let tensor = try source.tensor(named: "a")
        #expect(tensor.type.elementType == type)
        #expect(try tensor.floats() == [1, 2, 3, 4, 5, 6])
        #expect(try source.tensor(named: "b").floats() == [-0.5])
        #expect(try source.tensor(named: "c").floats() == [])
        #expect(throws: WeightLoadingError.missingTensor(file: "test", tensor: "z")) {
            try source.tensor(named: "z")
        }
    }

    @Test func `ignores metadata and reads scalars`() throws {
        let header = #"{"__metadata__":{"format":"pt"},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#
        let source = try source(safetensors(header: header, data: [0, 0, 128, 63]))
        #expect(source.tensorNames == ["s"])
        #expect(try source.tensor(named: "s").floats() == [1])
    }

    @Test func `unaligned data is read and copied to aligned memory`() throws {
        // Spaces pad the header to an odd length.
        for padding in 0..<4 {
            let header =
                #"{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"# + String(repeating: " ", count: padding)
            let source = try source(safetensors(header: header, data: [0, 0, 128, 63, 0, 0, 0, 64]))
            let tensor = try source.tensor(named: "a").converted(to: .f32)
            #expect(tensor.floats() == [1, 2])
            let address = tensor.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
            #expect(address % 4 == 0)
        }
    }

    @Test(arguments: [
        (header: "[]", data: 0, word: "not an object"),
        (header: "{", data: 0, word: "invalid JSON"),
        (header: #"{"a":1}"#, data: 0, word: "the integer 1"),
        (header: "{\"a\":\(f32),\"a\":\(f32)}", data: 4, word: "appears twice"),
        (header: #"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, data: 4, word: "dtype is missing"),
        (header: #"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, data: 4, word: "shape must be"),
        (header: #"{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}"#, data: 4, word: "shape must be"),
        (header: #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, data: 4, word: "negative or overflows"),
        (
            header: #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#, data: 4,
            word: "negative or overflows"
        ),
        (
            header: #"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}}"#, data: 4,
            word: "negative or overflows"
        ),
        (header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, data: 4, word: "two integers"),
        (header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, data: 4, word: "outside"),
        (header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, data: 4, word: "outside"),
        (header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, data: 4, word: "outside"),
        (
            header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775807]}}"#, data: 4,
            word: "outside"
        ),
        (header: #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, data: 4, word: "needs 8"),
        (header: "{\"a\":\(f32),\"b\":\(f32)}", data: 4, word: "overlaps"),
        (
            header: "{\"a\":\(f32),\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}", data: 12,
            word: "4 unnamed bytes"
        ),
        (header: "{\"a\":\(f32)}", data: 5, word: "1 bytes after the last tensor"),
    ])
    func `refuses a hostile header`(header: String, data: Int, word: String) throws {
        let error = #expect(throws: WeightLoadingError.self) {
            try source(safetensors(header: header, data: [UInt8](repeating: 0, count: data)))
        }
        let description = try #require(error).description
        #expect(description.contains("test"))
        #expect(description.contains(word), "\(description)")
    }

    @Test(arguments: [0, 4, 7]) func `refuses a file too short for a length`(byteCount: Int) {
        #expect(throws: WeightLoadingError.self) { try source([UInt8](repeating: 0, count: byteCount)) }
    }

    @Test(arguments: [3, 1000, UInt64.max, UInt64(Int.max), UInt64(Int.max) - 7])
    func `refuses a header longer than the file`(stated: UInt64) throws {
        let error = #expect(throws: WeightLoadingError.self) {
            try source(safetensors(header: "{}", statedHeaderByteCount: stated))
        }
        #expect(try #require(error).description.contains("longer than the file"))
    }

    @Test(arguments: ["F31", "Q4_0", "F8_E4M3FNUZ", "F4"]) func `an unknown type is refused when the tensor is read`(
        type: String
    )
        throws
    {
        let entries =
            #""a":{"dtype":"\#(type)","shape":[3],"data_offsets":[0,2]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}"#
        let source = try source(safetensors(header: "{\(entries)}", data: [7, 7, 0, 0, 128, 63]))
        #expect(try source.tensor(named: "b").floats() == [1])
        let error = #expect(throws: WeightLoadingError.self) { try source.tensor(named: "a") }
        #expect(try #require(error).description.contains("tensor a has type \(type), which is not supported"))
    }

    @Test func `floats of 64 bits are rounded`() throws {
        let values: [Double] = [1, -0.1, 3e38]
        let data = values.flatMap { GGUFBuilder.bytes($0.bitPattern) }
        let source = try source(
            safetensors(header: #"{"a":{"dtype":"F64","shape":[1,3],"data_offsets":[0,24]}}"#, data: data))
        #expect(try source.tensor(named: "a").floats() == values.map { Float($0) })
        let weights = try DenseWeightLoader().linear("a", inputSize: 3, outputSize: 1, from: source)
        #expect(weights.elementType == .f32)
    }

    @Test func `a truncated file is reported as such`() throws {
        let whole = safetensors([("a", [1, 2, 3, 4], [4])])
        func refusal(_ bytes: [UInt8]) throws -> String {
            let error = #expect(throws: WeightLoadingError.self) { try source(bytes) }
            return try #require(error).description
        }
        #expect(try refusal([]).contains("the file is empty; it was cut off"))
        let header = try refusal(Array(whole.prefix(20)))
        #expect(
            header.contains("bytes is longer than the file, 20 bytes: it was cut off, so download or copy it again"))
        let data = try refusal(Array(whole.dropLast(4)))
        #expect(data.contains("data_offsets [0, 16] lie outside the file's 12 bytes of data; it was cut off"))
        #expect(try refusal(Array("GGUF".utf8) + [3, 0, 0, 0, 0, 0]).contains("it is a GGUF file"))
        #expect(try refusal(Array("no such thing".utf8)).contains("it is no safetensors file"))
    }

    @Test func `refuses types that cannot be converted`() throws {
        let source = try source(
            safetensors(
                header: #"{"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#, data: Array(repeating: 0, count: 8))
        )
        let error = #expect(throws: WeightLoadingError.self) { try source.tensor(named: "i").floats() }
        #expect(try #require(error).description.contains("tensor i has type I64"))
    }
}
