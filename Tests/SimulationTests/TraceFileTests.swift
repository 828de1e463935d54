import SharedValues
import Testing

@testable import Simulation

@Suite("TraceFile")
struct TraceFileTests {
    private func read(_ text: String) throws -> [TraceRequest] {
        let file = try TemporaryFile(text)
        var trace = try TraceFile(path: file.path)
        var requests: [TraceRequest] = []
        while let request = try trace.next() { requests.append(request) }
        return requests
    }

    private func complaint(_ text: String) throws -> String {
        do {
            _ = try read(text)
            return "none"
        } catch let error as SimulationError {
            let description = error.description
            return String(description[(description.firstIndex(of: ":") ?? description.startIndex)...])
        }
    }

    @Test("BurstGPT's columns; requests without an answer are left out")
    func burst() throws {
        let requests = try read(
            """
            Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
            5,ChatGPT,472,18,490,Conversation log
            45,ChatGPT,1087,0,1087,Conversation log
            118.5,GPT-4,417,276,693,Conversation log
            """)
        #expect(requests.map(\.arrivalSeconds) == [0, 113.5])
        #expect(requests.map(\.promptCount) == [472, 417] && requests.map(\.outputCount) == [18, 276])
    }

    @Test("Azure's columns, with dates, across midnight and a leap day")
    func azure() throws {
        let requests = try read(
            "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2024-02-28 23:59:59.5000000,4808,10\r\n"
                + "2024-02-29 00:00:01.0000000,110,27\r\n2024-03-01T00:00:01Z,5,6\r\n")
        #expect(requests.map(\.arrivalSeconds) == [0, 1.5, 86_401.5])
        #expect(requests.map(\.promptCount) == [4808, 110, 5])
    }

    @Test("JSON lines with every column")
    func jsonLines() throws {
        let requests = try read(
            """
            {"arrival": 1.5, "prompt_tokens": 10, "output_tokens": 3, "tenant": "a", "priority": -2,
            """.replacing("\n", with: "") + """
                 "prefix_id": 7, "prefix_tokens": 4, "deadline_ms": 250, "messages": [{"role": "user"}], "x": null}

                {"arrival": 1, "prompt": 10, "output": 3, "prefix": "p"}
                """)
        var first = TraceRequest(arrivalSeconds: 0, promptCount: 10, outputCount: 3)
        first.tenant = "a"
        first.priority = -2
        first.prefixID = "7"
        first.prefixCount = 4
        first.deadlineSeconds = 0.25
        #expect(requests.first == first)
        // Earlier than its predecessor: arrives with it. A prefix without a length is half the prompt.
        #expect(requests.last?.arrivalSeconds == 0 && requests.last?.prefixCount == 5)
    }

    @Test("quoted fields may have commas and quotes in them")
    func quoting() {
        #expect(TraceFields.split(#"a, "b,c" ,"d""e",,"#) == ["a", "b,c", #"d"e"#, "", ""])
    }

    @Test("errors name the line and the problem")
    func errors() throws {
        #expect(try complaint("") == ": is empty")
        #expect(try complaint("a,b\n1,2\n") == ":1: no column for the arrival; found a, b")
        let header = "arrival,prompt,output\n"
        #expect(try complaint(header + "1,2,3\nx,2,3\n") == ":3: expected seconds or a date as arrival, found 'x'")
        #expect(try complaint(header + "1,2\n") == ":2: expected a number as output, found ''")
        #expect(try complaint(header + "1,-2,3\n") == ":2: expected 0 to 16777216 tokens as prompt, found -2")
        #expect(try complaint(header + "nan,2,3\n") == ":2: expected seconds or a date as arrival, found 'nan'")
        #expect(try complaint("{\"arrival\": 1}\n") == ":1: expected a number as prompt, found ''")
        #expect(try complaint("{\"arrival\": 1, \"prompt\": 2, \"output\": 3}\n[1]\n") == ":2: expected a JSON object")
        #expect(try complaint("{\"arrival\"\n").hasPrefix(":1: invalid JSON"))
    }

    @Test("random bytes are an error or requests, never a crash", arguments: 0..<200)
    func fuzz(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let pieces = [
            "arrival", "prompt", "output", ",", "\n", "1", "-", "e9", "{", "}", "\"", ":", "2024-13-01 00:00:00",
            "\u{0}",
            "99999999999999999999",
        ]
        let text = (0..<60).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
        let header = seed % 2 == 0 ? "arrival,prompt,output\n" : ""
        let outcome = Result { try read(header + text) }
        if case .failure(let error) = outcome { #expect(error is SimulationError) }
    }
}
