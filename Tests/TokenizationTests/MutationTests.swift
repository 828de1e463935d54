import JSON
import Testing

@testable import Tokenization

@Suite("Malformed tokenizer files")
struct MutationTests {
    /// Replaces every value, except those of vocabularies and merges, by values of other types and sizes, one at a time.
    @Test(
        "every wrong value is refused by file and key, or has no effect that ends the process",
        arguments: ["byte-level", "sentencepiece", "unigram"])
    func values(name: String) throws {
        let file = try Fixture.json("Families/\(name).json")
        let all = try #require(file["kinds"]).elements.filter { $0["tokenizer"] != nil }
        // Most kinds of a file differ only in their pattern.
        let kinds = Array(all.prefix(1) + all.suffix(2))
        var refused = 0
        for kind in kinds {
            guard case .object(let own)? = kind["tokenizer"], case .object(let base)? = file["base"] else { continue }
            let names = Set(own.members.map(\.key))
            // Merges are the largest part; a few are enough.
            let members = base.members.filter { !names.contains($0.key) } + own.members
            let small = members.map { member in
                member.key == "model" ? .init(key: "model", value: Self.smaller(member.value)) : member
            }
            let root = JSONValue.object(JSONObject(members: small))
            for mutation in Self.mutations(of: root) {
                do throws(TokenizationError) {
                    let tokenizer = TokenizerPipeline(
                        try TokenizerFile(JSONNode(mutation, file: "t.json")).parts(adding: []))
                    let ids = tokenizer.encode(
                        "Ab  12\n é中<|bos|>", addSpecialTokens: true, parseSpecialTokens: true)
                    _ = tokenizer.decode(ids + [0, 1, 2, 70_000], skipSpecialTokens: false)
                } catch {
                    refused += 1
                    if !error.description.hasPrefix("t.json: ") { Issue.record("\(error)") }
                }
            }
        }
        #expect(refused > 100)
    }

    private static func smaller(_ model: JSONValue) -> JSONValue {
        guard case .object(let object) = model else { return model }
        return .object(
            JSONObject(
                members: object.members.map { member in
                    switch (member.key, member.value) {
                    case ("merges", .array(let merges)): .init(key: "merges", value: .array(Array(merges.prefix(20))))
                    default: member
                    }
                }))
    }

    private static func mutations(of value: JSONValue) -> [JSONValue] {
        let others: [JSONValue] = [
            .null, .bool(true), .integer(-1), .integer(1 << 40), .number(0.5), "", "x", "(", .array([]), .array(["a"]),
            .object(JSONObject()),
        ]
        switch value {
        case .object(let object):
            var results = others
            for (index, member) in object.members.enumerated() where member.key != "vocab" && member.key != "merges" {
                var rest = object.members
                rest.remove(at: index)
                results.append(.object(JSONObject(members: rest)))
                for changed in mutations(of: member.value) {
                    var members = object.members
                    members[index] = .init(key: member.key, value: changed)
                    results.append(.object(JSONObject(members: members)))
                }
            }
            return results
        case .array(let elements):
            return others
                + elements.prefix(4).enumerated().flatMap { index, element in
                    mutations(of: element).map { changed in
                        var elements = elements
                        elements[index] = changed
                        return .array(elements)
                    }
                }
        default: return others
        }
    }
}
