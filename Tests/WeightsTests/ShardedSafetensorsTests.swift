import Testing

@testable import Weights

@Suite struct ShardedSafetensorsTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write(safetensors([("a", [1], [1])]), to: "one.safetensors")
        try directory.write(safetensors([("b", [2, 3], [2])]), to: "two.safetensors")
    }

    private func open(_ weightMap: String) throws -> SafetensorsSource {
        try SafetensorsSource(
            index: directory.write("{\"weight_map\":\(weightMap)}", to: "model.safetensors.index.json"))
    }

    @Test func `joins shards`() throws {
        let source = try open(#"{"a":"one.safetensors","b":"two.safetensors"}"#)
        #expect(source.tensorNames == ["a", "b"])
        #expect(source.byteCount == 12)
        #expect(try source.tensor(named: "a").floats() == [1])
        let tensor = try source.tensor(named: "b")
        #expect(try tensor.floats() == [2, 3])
        #expect(tensor.file.hasSuffix("two.safetensors"))
    }

    @Test(arguments: [
        "../one.safetensors", "/etc/passwd", "..", "", "sub/one.safetensors", "..\\\\one.safetensors",
    ])
    func `refuses a shard outside the index's directory`(shard: String) throws {
        let error = #expect(throws: WeightLoadingError.self) { try open("{\"a\":\"\(shard)\"}") }
        #expect(try #require(error).description.contains("is not a plain file name"))
    }

    @Test func `refuses a missing shard`() throws {
        let error = #expect(throws: WeightLoadingError.self) { try open(#"{"a":"three.safetensors"}"#) }
        #expect(try #require(error).description.hasSuffix("shard three.safetensors is missing"))
    }

    @Test func `a tensor that its shard lacks is an error when it is read`() throws {
        let source = try open(#"{"a":"two.safetensors","b":"two.safetensors","c":"one.safetensors"}"#)
        #expect(source.shape(of: "a") == nil && source.tensorNames == ["b"])
        #expect(try source.tensor(named: "b").floats() == [2, 3])
        let error = #expect(throws: WeightLoadingError.self) { try source.tensor(named: "a") }
        #expect(try #require(error).description.hasSuffix("shard two.safetensors does not hold tensor a"))
    }

    @Test func `of a tensor in two shards the index's one is used`() throws {
        try directory.write(safetensors([("a", [1], [1]), ("b", [9, 9], [2])]), to: "one.safetensors")
        for (shard, expected) in [("one", [9, 9]), ("two", [2, 3])] as [(String, [Float])] {
            let source = try open(
                "{\"a\":\"one.safetensors\",\"b\":\"\(shard).safetensors\",\"z\":\"two.safetensors\"}")
            #expect(try source.tensor(named: "b").floats() == expected)
            #expect(source.byteCount == 12)
        }
    }

    @Test func `a tensor in two shards that the index does not name has to be the same in both`() throws {
        for (numbers, isSame) in [([2, 3], true), ([2, 4], false)] as [([Float], Bool)] {
            try directory.write(safetensors([("a", [1], [1]), ("b", numbers, [2])]), to: "one.safetensors")
            let source = try open(#"{"a":"one.safetensors","z":"two.safetensors"}"#)
            #expect(try source.tensor(named: "a").floats() == [1])
            if isSame {
                #expect(try source.tensor(named: "b").floats() == [2, 3])
            } else {
                let error = #expect(throws: WeightLoadingError.self) { try source.tensor(named: "b") }
                #expect(
                    try #require(error).description.contains(
                        "two.safetensors: tensor b is malformed: one.safetensors has another tensor of this name"))
            }
        }
    }

    @Test(arguments: ["1", "[]", "null", #"{"a":1}"#]) func `refuses an ill-typed map`(map: String) {
        #expect(throws: WeightLoadingError.self) { try open(map) }
    }
}
