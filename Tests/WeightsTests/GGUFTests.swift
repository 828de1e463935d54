import Testing

@testable import Weights

@Suite struct GGUFTests {
    /// A valid file with a pair and two tensors.
    private func sound() -> GGUFBuilder {
        var builder = GGUFBuilder()
        builder.add("general.architecture", "llama")
        builder.add("a", [1, 2, 3, 4, 5, 6], dimensions: [3, 2])
        builder.add("b", [7], dimensions: [1])
        return builder
    }

    private func open(_ builder: GGUFBuilder) throws -> GGUFSource {
        try GGUFSource(file: "test.gguf", memory: memory(builder.build()))
    }

    private func refusal(_ change: (inout GGUFBuilder) -> Void) throws -> String {
        var builder = sound()
        change(&builder)
        let error = #expect(throws: WeightLoadingError.self) { try open(builder) }
        let description = try #require(error).description
        #expect(description.contains("test.gguf"))
        return description
    }

    @Test(arguments: [2, 3] as [UInt32]) func `reads tensors with shapes outermost first`(version: UInt32) throws {
        var builder = sound()
        builder.version = version
        let source = try open(builder)
        #expect(source.tensorNames == ["a", "b"])
        #expect(source.shape(of: "a") == [2, 3])
        #expect(source.byteCount == 28)
        #expect(try source.tensor(named: "a").floats() == [1, 2, 3, 4, 5, 6])
        #expect(try source.tensor(named: "b").floats() == [7])
        #expect(throws: WeightLoadingError.missingTensor(file: "test.gguf", tensor: "c")) {
            try source.tensor(named: "c")
        }
    }

    @Test func `honours another alignment`() throws {
        var builder = sound()
        builder.alignment = 128
        builder.add("general.alignment", 128 as UInt32)
        #expect(try open(builder).tensor(named: "b").floats() == [7])
    }

    @Test(arguments: [0, 3, 1 << 31] as [UInt32]) func `refuses an impossible alignment`(alignment: UInt32) throws {
        #expect(try refusal { $0.add("general.alignment", alignment) }.contains("general.alignment"))
    }

    @Test func `refuses files that are not GGUF`() throws {
        #expect(try refusal { $0.magic = Array("GGML".utf8) }.contains("does not begin with"))
        #expect(try refusal { $0.magic = Array("tjgg".utf8) }.contains("of GGML's formats before GGUF"))
        let tensors = safetensors([("a", [1], [1])])
        let error = #expect(throws: WeightLoadingError.self) { try GGUFSource(file: "t", memory: memory(tensors)) }
        #expect(try #require(error).description.contains("it may be a safetensors file"))
    }

    @Test(arguments: [(0, "0"), (1, "1"), (4, "4"), (0x0300_0000, "big-endian, version 3")] as [(UInt32, String)])
    func `refuses other versions by number`(version: UInt32, name: String) throws {
        #expect(try refusal { $0.version = version }.contains("GGUF version \(name) is not supported"))
    }

    @Test(arguments: [1000, UInt64.max, 0x7FFF_FFFF_FFFF_FFFF, 1 << 60] as [UInt64])
    func `refuses counts that cannot fit`(
        count: UInt64
    ) throws {
        #expect(try refusal { $0.tensorCount = count }.contains("tensor count"))
        #expect(try refusal { $0.pairCount = count }.contains("metadata count"))
        #expect(
            try refusal {
                $0.add("list", type: 9, payload: GGUFBuilder.bytes(UInt32(8)) + GGUFBuilder.bytes(count))
            }.contains("element count of list"))
        #expect(try refusal { $0.add("text", type: 8, payload: GGUFBuilder.bytes(count)) }.contains("length of text"))
    }

    @Test func `refuses unknown value types and deep arrays`() throws {
        #expect(try refusal { $0.add("odd", type: 13, payload: []) }.contains("key odd has unknown type 13"))
        let unknown = GGUFBuilder.bytes(UInt32(77)) + GGUFBuilder.bytes(UInt64(1))
        #expect(try refusal { $0.add("odd", type: 9, payload: unknown) }.contains("unknown element type 77"))
        let nested = GGUFBuilder.bytes(UInt32(9)) + GGUFBuilder.bytes(UInt64(1))
        let deep = [[UInt8]](repeating: nested, count: 1000).flatMap { $0 }
        #expect(try refusal { $0.add("deep", type: 9, payload: deep) }.contains("too deep"))
    }

    @Test func `refuses text that is not UTF-8 and repeated keys`() throws {
        let payload = GGUFBuilder.bytes(UInt64(1)) + [0xFF]
        let list = GGUFBuilder.bytes(UInt32(8)) + GGUFBuilder.bytes(UInt64(1)) + payload
        #expect(try refusal { $0.add("texts", type: 9, payload: list) }.contains("texts is not UTF-8"))
        #expect(try refusal { $0.add("general.architecture", "x") }.contains("appears twice"))
    }

    @Test(arguments: [(9, "Q8_1"), (40, "NVFP4"), (4_000_000_000, "number 4000000000")] as [(UInt32, String)])
    func `refuses a tensor type by name when it is read`(code: UInt32, name: String) throws {
        var builder = sound()
        builder.tensors[0].type = code
        let source = try open(builder)
        #expect(try source.tensor(named: "b").floats() == [7])
        let error = #expect(throws: WeightLoadingError.self) { try source.tensor(named: "a") }
        #expect(
            try #require(error).description.contains("test.gguf: tensor a has type \(name), which is not supported"))
    }

    @Test func `outer extents of one are dropped`() throws {
        var builder = GGUFBuilder()
        builder.add("vector", [1, 2], dimensions: [2, 1, 1, 1])
        builder.add("matrix", [1, 2, 3, 4], dimensions: [2, 2, 1])
        let source = try open(builder)
        #expect(source.shape(of: "matrix") == [2, 2])
        #expect(try GGUFWeightLoader().vector("vector", count: 2, from: source) == [1, 2])
        #expect(throws: WeightLoadingError.self) { try GGUFWeightLoader().vector("matrix", count: 4, from: source) }
    }

    private static let overflowing: [[UInt64]] = [
        [.max], [0x7FFF_FFFF_FFFF_FFFF, 2], [0x1_0000_0000, 0x1_0000_0000],
        [0, 0x4000_0000_0000_0000, 0x4000_0000_0000_0000], [0x7FFF_FFFF_FFFF_FFFF],
        [0x1_0000, 0x1_0000, 0x1_0000, 0x1_0000],
    ]

    @Test(arguments: overflowing) func `refuses dimensions that overflow`(dimensions: [UInt64]) throws {
        #expect(try refusal { $0.tensors[0].dimensions = dimensions }.contains("overflows"))
    }

    @Test func `refuses five dimensions and broken blocks`() throws {
        #expect(try refusal { $0.tensors[0].dimensions = [1, 1, 1, 1, 1] }.contains("5 dimensions"))
        #expect(try refusal { $0.tensors[0].type = 2 }.contains("not whole blocks of 32 (Q4_0)"))
    }

    /// A tensor beyond the file's end would expose the process's memory (CVE-2026-7482).
    @Test(arguments: [64, 1 << 40, 0x7FFF_FFFF_FFFF_FFE0] as [UInt64]) func `refuses data outside the file`(
        offset: UInt64
    )
        throws
    {
        #expect(try refusal { $0.tensors[1].offset = offset }.contains("lie outside"))
    }

    @Test func `refuses unaligned, overlapping and overflowing offsets`() throws {
        #expect(try refusal { $0.tensors[1].offset = 33 }.contains("not a multiple of the alignment"))
        #expect(try refusal { $0.tensors[1].offset = 0 }.contains("overlaps"))
        #expect(try refusal { $0.tensors[1].offset = UInt64.max }.contains("overflows"))
        #expect(try refusal { $0.tensors[0].dimensions = [3, 200] }.contains("lie outside"))
        #expect(try refusal { $0.tensors[1].name = "a" }.contains("another tensor has this name"))
    }

    @Test func `a truncated file is refused or read completely`() throws {
        let bytes = sound().build()
        for count in 0..<bytes.count {
            #expect(throws: WeightLoadingError.self, "cut at \(count)") {
                try GGUFSource(file: "test.gguf", memory: memory(Array(bytes[..<count])))
            }
        }
    }
}
