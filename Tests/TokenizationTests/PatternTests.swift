import Testing

@testable import Tokenization

@Suite("Regular expressions of any kind, in linear time and bounded memory")
struct PatternTests {
    private func matches(_ pattern: String, _ text: String) throws -> [String] {
        let matcher = PatternMatcher(try PatternProgram(pattern))
        var found: [String] = []
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            matcher.forEachMatch(in: bytes) { found.append(String(decoding: bytes[$0], as: UTF8.self)) }
        }
        return found
    }

    @Test(
        "what cannot be compiled is refused by position",
        arguments: [
            ("a(b", 1, "a group without end"), ("ab)", 2, "\")\" without \"(\""), ("(?<n", 0, "a group without end"),
            ("[a-", 0, "a class without end"), ("[z-a]", 1, "a range whose end precedes its start"),
            ("x\\p{Klingon}", 1, "unknown property \\p{Klingon}"), ("(a)\\1", 3, "\\1 is not supported"),
            ("(?<=ab)c", 0, "look-behind over anything but one character"), ("a|*", 2, "nothing to repeat"),
            ("(?:ab)++", 6, "an atomic group or a possessive repetition of anything but a set of characters"),
            ("a{1001}", 1, "more than 1000 repetitions"), ("a\\", 1, "a backslash at the end"),
            ("(?z)", 0, "an unknown kind of group"), ("[]", 0, "an empty class"), ("\\x{110000}", 0, ""),
            ("(?:a{1000}){1000}", 0, "it has more than 4096 instructions"),
        ])
    func refusals(pattern: String, position: Int, reason: String) {
        let error = #expect(throws: PatternError.self, "\(pattern)") { try PatternProgram(pattern) }
        guard !reason.isEmpty else { return }
        #expect(error == PatternError(position: position, reason: reason))
    }

    @Test("deep nesting is refused")
    func depth() {
        for unit in ["(", "[", "(?:a|"] {
            #expect(throws: PatternError.self) { try PatternProgram(String(repeating: unit, count: 100_000)) }
        }
    }

    @Test("random patterns compile or are refused, and never trap")
    func mutations() {
        var random = SeededRandom(seed: 3)
        let pieces = [
            "a", "\\", "[", "]", "(", ")", "?", "*", "+", "{", "}", "2", ",", "|", "^", "$", ".", "-", "&&", "p{L}",
            "(?",
            ":", "=", "!", "<", "i", "[:alpha:]", "\\x", "\\u00", "é", "\\b",
        ]
        for _ in 0..<3_000 {
            let pattern = (0..<random.next(12)).map { _ in pieces[random.next(pieces.count)] }.joined()
            _ = try? matches(pattern, "aé2 b\n[x]")
        }
    }

    @Test(
        "the known patterns match as their scanners do, in texts longer than a block",
        arguments: [("gpt2", SplitPattern.gpt2), ("llama3", .llama3), ("qwen2", .qwen2)])
    func scanners(name: String, scanner: SplitPattern) throws {
        let contractions = name == "gpt2" ? "'s|'t|'re|'ve|'m|'ll|'d" : "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
        let rest =
            name == "gpt2"
            ? #"| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
            : #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + (name == "llama3" ? "{1,3}" : "")
                + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        let matcher = PatternMatcher(try PatternProgram(contractions + rest))
        var random = SeededRandom(seed: 5)
        let pieces = [
            "a", "b", "The", " ", "  ", "\n", "\r\n", "\t", "1", "23", "'s", "'LL", "'ſ", ".", "!!", "é", "中文",
            "\u{301}", "😀",
            "\u{A0}", "\u{3000}", "½", "\u{88F}", "𠀀",
        ]
        for count in [1, 5, 40, 2_000, 60_000] {
            let text = Array((0..<count).map { _ in pieces[random.next(pieces.count)] }.joined().utf8)
            text.withUnsafeBufferPointer { text in
                var end = 0
                matcher.forEachMatch(in: text) { range in
                    if range.lowerBound != end || range.upperBound != scanner.end(of: text, from: end, .shared) {
                        Issue.record("\(count): \(range), not from \(end)")
                    }
                    end = range.upperBound
                }
                #expect(end == text.count)
            }
        }
    }

    @Test("a pattern with more states than are kept still finds every match")
    func manyStates() throws {
        // Whether an `a` stands 14 characters before depends on 14 characters: 2^14 states.
        let matcher = PatternMatcher(try PatternProgram("a(?=[ab]{13}a)"))
        var random = SeededRandom(seed: 9)
        let text = (0..<120_000).map { _ in random.next(2) == 0 ? UInt8(ascii: "a") : UInt8(ascii: "b") }
        var found: [Int] = []
        text.withUnsafeBufferPointer { bytes in matcher.forEachMatch(in: bytes) { found.append($0.lowerBound) } }
        let expected = text.indices.filter { index in
            index + 14 < text.count && text[index] == UInt8(ascii: "a") && text[index + 14] == UInt8(ascii: "a")
        }
        #expect(found == expected)
    }

    @Test("of several ways to match, the preferred one is taken")
    func preference() throws {
        #expect(try matches("a|ab", "ab") == ["a"])
        #expect(try matches("(?:a|ab)(?:c|bcd)", "abcd") == ["abcd"])
        #expect(try matches("a{2,3}?", "aaaa") == ["aa", "aa"])
        #expect(try matches("x*+x|y", "xxxy") == ["y"])
        #expect(try matches("(?:a?)*b", "aab") == ["aab"])
        #expect(try matches(#"\s+(?!\S)|\s+"#, "a   b ") == ["  ", " ", " "])
        #expect(try matches("(?=a*b)a", "aabaa") == ["a", "a"])
        #expect(try matches("(?i)straSSe|K", "STRASSE \u{212A}k") == ["STRASSE", "\u{212A}", "k"])
    }
}

/// Random numbers that are the same in every run.
struct SeededRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    /// A number below `bound`.
    mutating func next(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(truncatingIfNeeded: state >> 33) % bound
    }
}
