import JSON
import Testing

@Suite struct JSONParserTests {
    private func parse(_ text: String) throws -> JSONValue { try parse(Array(text.utf8)) }

    private func parse(_ bytes: [UInt8]) throws -> JSONValue { try JSONParser.parse(bytes) }

    @Test func `reads every kind of value`() throws {
        let value = try parse(#" {"a":[1,-2,3.5,1e3,true,false,null],"b":{"c":"d"},"e":[],"f":{}} "#)
        let expected: JSONValue = [
            "a": [1, -2, 3.5, .number(1000), true, false, nil], "b": ["c": "d"], "e": [], "f": [:],
        ]
        #expect(value == expected)
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u00fcx\ud83d\ude00""#, "üx😀"), (#""Grüße""#, "Grüße"),
        (#""""#, ""),
    ])
    func `reads strings`(text: String, expected: String) throws {
        #expect(try parse(text) == .string(expected))
    }

    @Test func `reads integers beyond 64 bits and Python's special numbers`() throws {
        #expect(try parse("18446744073709551616") == .bigInteger("18446744073709551616"))
        #expect(
            try parse("[-9223372036854775809, 9223372036854775807]") == [
                .bigInteger("-9223372036854775809"), .integer(.max),
            ])
        #expect(try parse("-0") == 0)
        #expect(try parse("[1e400, -1e400, 1e-400]") == [.number(.infinity), .number(-.infinity), 0.0])
        var options = JSONParser.Options()
        options.acceptsNonFiniteNumbers = true
        for (text, number) in [("-Infinity", -Double.infinity), ("Infinity", .infinity)] {
            #expect(try JSONParser.parse(Array(text.utf8), options: options) == .number(number))
            #expect(throws: JSONError.self) { try parse(text) }
        }
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,]", "{\"a\"}", "{\"a\":1,}", "{a:1}", "\"", "\"\\", "\"\\u12", "\"\\ud800\"",
        "\"\\ud800\\u0041\"", "\"\\x\"", "tru", "01", "-", "+1", ".5", "1 2", "{}x", "\"\n\"", "1e", "--1", "1-2",
    ])
    func `refuses text that is not JSON`(text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test func `integers of any size are written as they were read`() throws {
        let text = "[12345678901234567890,-98765432109876543210987654321,7]"
        let value = try parse(text)
        #expect(String(decoding: value.encoded, as: UTF8.self) == text)
        guard case .array(let numbers) = value else { throw CancellationError() }
        #expect(numbers.map(\.double) == [12345678901234567168, -98765432109876546265216450560, 7])
        #expect(numbers[0].summary == "the integer 12345678901234567890" && numbers[0].kind == "a number")
        #expect(throws: Never.self) { try parse(String(repeating: "9", count: JSONParser.maxIntegerDigitCount)) }
        #expect(throws: JSONError.self) {
            try parse(String(repeating: "9", count: JSONParser.maxIntegerDigitCount + 1))
        }
    }

    @Test func `refuses a repeated key if the options say so`() {
        let text = Array(#"{"a":1,"a":2}"#.utf8)
        var options = JSONParser.Options()
        options.rejectsDuplicateKeys = true
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(text, options: options) }
        #expect(error?.problem == "key \"a\" appears twice" && error?.byteOffset == 7)
        // Canonically equivalent keys are different keys.
        #expect(throws: Never.self) { try JSONParser.parse(Array("{\"é\":1,\"e\u{301}\":2}".utf8), options: options) }
    }

    @Test func `of a repeated key the last value counts`() throws {
        guard case .object(let object) = try parse(#"{"a":1,"a":2}"#) else { throw CancellationError() }
        #expect(object["a"] == 2 && object.members.count == 2)
    }

    @Test func `an error has the path of the value`() {
        let error = #expect(throws: JSONError.self) { try parse(#"{"a":[1,{"b":x}]}"#) }
        #expect(error?.path == ["a", "1", "b"])
    }

    @Test func `refuses invalid UTF-8`() {
        #expect(throws: JSONError.self) { try parse([0x22, 0xFF, 0x22]) }
    }

    @Test func `survives deep nesting`() {
        #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
    }
}
