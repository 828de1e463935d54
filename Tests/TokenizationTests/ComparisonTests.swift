import FoundationEssentials
import JSON
import Testing

@testable import Tokenization

/// Compares with files that `Goldens/fuzz_tokenizers.py` wrote: small ones in `Fixtures/Families`, and those in the
/// folder that the environment variable `QUIRE_TOKENIZER_CASES` names.
@Suite("Tokenizers of all families equal those of tokenizers")
struct ComparisonTests {
    private static let folders: [String] = {
        let folder = ProcessInfo.processInfo.environment["QUIRE_TOKENIZER_CASES"]
        return [folder ?? Fixture.path("Families")]
    }()

    private static let files = folders.flatMap { folder in
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().map { "\(folder)/\($0)" }
    }

    private func json(_ path: String) throws -> JSONValue {
        try JSONParser.parse(Array(try Data(contentsOf: URL(filePath: path))))
    }

    @Test("texts have the same ids and decode to the same texts", arguments: files.filter { !$0.contains("patterns") })
    func families(file: String) throws {
        let file = try json(file)
        let texts = try #require(file["texts"]).elements.compactMap(\.text)
        let kinds = try #require(file["kinds"]).elements
        #expect(!texts.isEmpty && !kinds.isEmpty)
        for kind in kinds {
            let name = kind["name"]?.text ?? ""
            // The GGUF vocabulary of another kind has the ids of that one.
            let like = kinds.first { $0["name"] == kind["like"] && $0["like"] == nil } ?? kind
            let tokenizer = try tokenizer(kind, like: like, base: file["base"])
            var (encoded, decoded) = (0, 0)
            for (text, ids) in zip(texts, try #require(like["ids"]).elements) {
                let found = tokenizer.encode(text, addSpecialTokens: true, parseSpecialTokens: true)
                guard found != ids.ids else { continue }
                encoded += 1
                if encoded <= 3 { Issue.record("\(name): \(text.debugDescription): \(found), not \(ids.ids)") }
            }
            for pair in kind["decoded"]?.elements ?? [] {
                let ids = try #require(pair.elements.first).ids
                let text = tokenizer.decode(ids, skipSpecialTokens: false)
                guard text.scalars != pair.elements.last?.text?.scalars else { continue }
                decoded += 1
                if decoded <= 3 {
                    Issue.record(
                        "\(name): \(ids): \(text.debugDescription), not \(pair.elements.last?.text?.debugDescription ?? "")"
                    )
                }
            }
            #expect(encoded == 0 && decoded == 0, "\(name): \(encoded) texts and \(decoded) lists of ids differ")
        }
    }

    /// The tokenizer of `kind`: a tokenizer.json, whose keys replace those of `base`, a GGUF vocabulary, or that of `like`
    /// with the name of a pre-tokenizer.
    private func tokenizer(_ kind: JSONValue, like: JSONValue, base: JSONValue?) throws -> TokenizerPipeline {
        if let vocabulary = kind["gguf"] { return try TokenizerPipeline(vocabulary: ggufVocabulary(vocabulary)) }
        var members: [JSONObject.Member] = []
        for case .object(let object)? in [base, like["tokenizer"]] {
            for member in object.members {
                members.removeAll { $0.key == member.key }
                members.append(member)
            }
        }
        let file = JSONValue.object(JSONObject(members: members))
        if let pre = kind["pre"]?.text {
            return try TokenizerPipeline(vocabulary: try Fixture.vocabulary(of: file, pre: pre))
        }
        return TokenizerPipeline(try TokenizerFile(JSONNode(file, file: "tokenizer.json")).parts(adding: []))
    }

    private func ggufVocabulary(_ value: JSONValue) -> GGUFVocabulary {
        var vocabulary = GGUFVocabulary(
            model: value["model"]?.text ?? "", pre: value["pre"]?.text,
            tokens: value["tokens"]?.elements.compactMap(\.text) ?? [], tokenTypes: value["types"]?.ids ?? [],
            merges: value["merges"]?.elements.compactMap(\.text) ?? [])
        vocabulary.scores = value["scores"]?.elements.compactMap { $0.double.map { Float($0) } } ?? []
        func flag(_ key: String) -> Bool? { if case .bool(let flag)? = value[key] { flag } else { nil } }
        func id(_ key: String) -> TokenID? { value[key]?.integer.map { TokenID($0) } }
        vocabulary.bosID = id("bos")
        vocabulary.eosID = id("eos")
        vocabulary.unknownID = id("unk")
        vocabulary.addBOS = flag("add_bos")
        vocabulary.addEOS = flag("add_eos")
        vocabulary.addSpacePrefix = flag("add_space_prefix")
        vocabulary.removeExtraWhitespaces = flag("remove_extra_whitespaces")
        return vocabulary
    }

    /// Each expected result has the bounds of the matches, and all positions at which they cut the text.
    @Test("regular expressions match as Oniguruma's do", arguments: files.filter { $0.contains("patterns") })
    func patterns(file: String) throws {
        let file = try json(file)
        let texts = try #require(file["texts"]).elements.compactMap(\.text)
        for entry in try #require(file["patterns"]).elements {
            let pattern = try #require(entry["pattern"]?.text)
            guard let expected = entry["matches"]?.elements else {
                #expect(throws: PatternError.self, "\(pattern)") { try PatternProgram(pattern) }
                continue
            }
            let matcher: PatternMatcher
            do {
                matcher = PatternMatcher(try PatternProgram(pattern))
            } catch {
                Issue.record("\(pattern): \(error.reason) at \(error.position)")
                continue
            }
            var different = 0
            for (text, expected) in zip(texts, expected) {
                var found: [TokenID] = []
                var cuts: Set<Int> = []
                let bytes = Array(text.utf8)
                bytes.withUnsafeBufferPointer { bytes in
                    matcher.forEachMatch(in: bytes) { range in
                        if !range.isEmpty { found += [TokenID(range.lowerBound), TokenID(range.upperBound)] }
                        cuts.formUnion([range.lowerBound, range.upperBound])
                    }
                }
                cuts.subtract([0, bytes.count])
                let pair = expected.elements
                guard pair.count == 2 else { continue }
                guard found != pair[0].ids || cuts.sorted() != pair[1].ids.map({ Int($0) }) else { continue }
                different += 1
                if different == 1 {
                    Issue.record("\(pattern): \(text.debugDescription): \(found), \(cuts.sorted()), not \(pair)")
                }
            }
            #expect(different == 0, "\(pattern): \(different) texts differ")
        }
    }
}
