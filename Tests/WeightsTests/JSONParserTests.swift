import Testing

@testable import Weights

@Suite struct JSONParserTests {
    private func parse(_ text: String) throws -> JSONValue { try parse(Array(text.utf8)) }

    private func parse(_ bytes: [UInt8]) throws -> JSONValue {
        try bytes.withUnsafeBytes { try JSONParser.parse($0) }
    }

    @Test func readsEveryKindOfValue() throws {
        let value = try parse(#" {"a":[1,-2,3.5,1e3,true,false,null],"b":{"c":"d"},"e":[],"f":{}} "#)
        let expected: JSONValue = .object([
            "a": .array([.integer(1), .integer(-2), .number(3.5), .number(1000), .bool(true), .bool(false), .null]),
            "b": .object(["c": .string("d")]), "e": .array([]), "f": .object([:]),
        ])
        #expect(value == expected)
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u00fcx\ud83d\ude00""#, "üx😀"), (#""Grüße""#, "Grüße"),
        (#""""#, ""),
    ])
    func readsStrings(text: String, expected: String) throws {
        #expect(try parse(text) == .string(expected))
    }

    @Test func readsNumbersBeyondIntAndPythonsSpecials() throws {
        #expect(try parse("18446744073709551616") == .number(18446744073709551616))
        #expect(try parse("-Infinity") == .number(-.infinity))
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,]", "{\"a\"}", "{\"a\":1,}", "{a:1}", "\"", "\"\\", "\"\\u12", "\"\\ud800\"",
        "\"\\ud800\\u0041\"", "\"\\x\"", "tru", "01", "-", "+1", ".5", "1 2", "{}x", "\"\n\"", "1e", "--1", "1-2",
    ])
    func refusesWhatIsNotJSON(text: String) {
        #expect(throws: JSONParser.Failure.self) { try parse(text) }
    }

    @Test func refusesAKeyTwice() {
        #expect(throws: JSONParser.Failure(reason: "key \"a\" appears twice", byteOffset: 7)) {
            try parse(#"{"a":1,"a":2}"#)
        }
    }

    @Test func refusesInvalidUTF8() {
        #expect(throws: JSONParser.Failure.self) { try parse([0x22, 0xFF, 0x22]) }
    }

    @Test func survivesDeepNesting() {
        #expect(throws: JSONParser.Failure.self) { try parse(String(repeating: "[", count: 1_000_000)) }
    }
}
