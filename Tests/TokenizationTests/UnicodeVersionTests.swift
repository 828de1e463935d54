import JSON
import Testing

@testable import Tokenization

/// Compares with the goldens of `Fixtures/make_unicode.py`.
@Suite("Scalars are what tokenizers takes them for")
struct UnicodeVersionTests {
    private static let goldens = Result { try Fixture.json("unicode.goldens.json") }

    private func scalars(_ name: String) throws -> Set<UInt32> {
        let bounds = try #require(Self.goldens.get()[name]).elements.compactMap { $0.integer.map { UInt32($0) } }
        var scalars: Set<UInt32> = []
        for index in stride(from: 0, to: bounds.count, by: 2) { scalars.formUnion(bounds[index]...bounds[index + 1]) }
        return scalars
    }

    private static let all = (UInt32(0)..<0x110000).compactMap { Unicode.Scalar($0) }

    @Test(
        "letters, numbers and white space of patterns, and what is split off as digits",
        arguments: ["letter", "number", "space", "numeric"])
    func classes(name: String) throws {
        let kinds: [String: ScalarClasses.Kind] = [
            "letter": .letter, "number": .number, "space": .space, "numeric": .numeric,
        ]
        let kind = try #require(kinds[name])
        let classes = ScalarClasses.shared
        var found: Set<UInt32> = []
        for scalar in Self.all {
            let bytes = Array(String(Character(scalar)).utf8)
            if bytes.withUnsafeBufferPointer({ classes.kind(at: 0, of: $0).kind.contains(kind) }) {
                found.insert(scalar.value)
            }
        }
        let expected = try scalars(name)
        #expect(!expected.isEmpty)
        #expect(found.symmetricDifference(expected).isEmpty)
    }

    @Test("parts of words beside added tokens")
    func words() throws {
        let found = Set(Self.all.filter(TextBoundary.isWord).map(\.value))
        #expect(found.symmetricDifference(try scalars("word")).isEmpty)
    }

    @Test("scalars that normalization does not know keep their positions")
    func compositions() throws {
        let cases = try #require(Self.goldens.get()["composed"]).elements.map { $0.elements.compactMap(\.text) }
        #expect(cases.count > 100)
        for pair in cases {
            let composed = UnicodeForm.nfc.apply(Array(pair[0].utf8))
            #expect(composed == Array(pair[1].utf8), "\(pair[0].scalars)")
        }
    }

    @Test(
        "marks of a starter that decomposes are sorted among others",
        arguments: [
            ("\u{F81}\u{F81}", "\u{F71}\u{F71}\u{F80}\u{F80}"), ("a\u{F75}\u{F81}", "a\u{F71}\u{F71}\u{F80}\u{F74}"),
            ("\u{F73}\u{F71}", "\u{F71}\u{F71}\u{F72}"), ("\u{344}\u{323}", "\u{323}\u{308}\u{301}"),
        ])
    func marks(text: String, sorted: String) {
        for form in [UnicodeForm.nfc, .nfd, .nfkc, .nfkd] {
            #expect(form.apply(Array(text.utf8)) == Array(sorted.utf8), "\(form)")
        }
    }

    /// U+088F is a letter since Unicode 17. Here it must be a sign, after which `'t` is a contraction.
    @Test("letters of Unicode 17 are split as signs")
    func newLetters() {
        let patterns: [SplitPattern] = [.gpt2, .llama3, .qwen2]
        for pattern in patterns {
            let text = Array("\u{88F}'t x".utf8)
            let end = text.withUnsafeBufferPointer { pattern.end(of: $0, from: 0, ScalarClasses.shared) }
            #expect(end == 4)
        }
    }
}
