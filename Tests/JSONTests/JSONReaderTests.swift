import Testing

@testable import JSON

/// An error that stores the mismatch.
private struct Failure: JSONReadingError, Equatable {
    let mismatch: JSONMismatch
    init(_ mismatch: JSONMismatch) { self.mismatch = mismatch }
    init(_ path: String, _ expected: String, _ found: JSONValue?) {
        self.init(JSONMismatch(file: "f.json", path: path, expected: expected, found: found))
    }
}

@Suite struct JSONReaderTests {
    private let reader = JSONReader<Failure>(
        [
            "text": "a", "flag": true, "none": nil, "whole": 2.0, "part": 2.5, "big": 1e300,
            "list": [["id": 1], 5], "inner": ["key": ["deep": "x"]],
        ], file: "f.json")

    @Test func `members are read by type, and null counts as absent`() throws {
        #expect(try reader.string("text") == "a" && reader.bool("flag") == true)
        #expect(try reader.integer("whole") == 2 && reader.number("part") == 2.5 && reader.array("list")?.count == 2)
        #expect(try reader.string("none") == nil && reader.object("missing") == nil && !reader.has("none"))
        #expect(!reader["none"].isMissing && reader["none"].isNull && reader["missing"].isMissing)
        #expect(try reader.object("inner")?.object("key")?.string("deep") == "x")
    }

    @Test func `a mismatch names the file, the path, what was expected and what was found`() {
        #expect(throws: Failure("text", "an integer", "a")) { try reader.integer("text") }
        #expect(throws: Failure("part", "an integer", 2.5)) { try reader.integer("part") }
        #expect(throws: Failure("big", "an integer", 1e300)) { try reader.integer("big") }
        #expect(throws: Failure("inner.key.deep", "true or false", "x")) {
            try reader.object("inner")?.object("key")?.bool("deep")
        }
        #expect(throws: Failure("list[0].id", "a string", 1)) { try reader["list"].elements()[0]["id"].string() }
        #expect(throws: Failure("list[1].id", "a string", nil)) { try reader["list"].elements()[1]["id"].string() }
        #expect(throws: Failure("inner.lost.deep", "an array", nil)) {
            try reader["inner"]["lost"]["deep"].elements()
        }
        #expect(throws: Failure("", "an object", 3)) { try JSONReader<Failure>(3, file: "f.json").object() }
    }

    @Test func `members that nobody read are listed, without null ones`() throws {
        let recording = JSONReader<Failure>(reader.value, recordsReads: true)
        _ = try recording.string("text")
        _ = recording["flag"]
        _ = recording.has("whole")
        #expect(recording.unreadKeys == ["part", "big", "list", "inner"])
    }

    @Test func `a member is replaced in its position, added at the end, or removed`() {
        var object = JSONObject(members: [
            .init(key: "a", value: 1), .init(key: "b", value: 2), .init(key: "a", value: 3),
        ])
        object["a"] = 4
        object["c"] = 5
        object["b"] = nil
        #expect(object.members == [.init(key: "a", value: 1), .init(key: "a", value: 4), .init(key: "c", value: 5)])
        object["a"] = nil
        #expect(object.members == [.init(key: "c", value: 5)])
    }

    @Test func `strings are mapped at every depth, keys included`() {
        let value: JSONValue = ["a": ["b", 1, nil, ["c": "d"]], "e": 2.5]
        #expect(value.mappingStrings { $0 + "!" } == ["a!": ["b!", 1, nil, ["c!": "d!"]], "e!": 2.5])
        #expect(value["e"] == 2.5 && value["x"] == nil && value["a"]?["b"] == nil)
    }
}
