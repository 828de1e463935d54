import ChatTemplates
import FoundationEssentials
import JSON
import Testing

/// The goldens that `Fixtures/make_templates.py` made with jinja2.
enum TemplateFixture {
    static let goldens = Result {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "Fixtures/templates.goldens.json")
        return try JSONParser.parse(Array(try Data(contentsOf: url)))
    }

    /// The time that the script uses: 2025-03-09 07:05:04.000120.
    static let clock = TemplateClock(isUTC: true) { 1_741_503_904_000_120 }

    /// The result of a template here: its text, or the kind of its error.
    static func outcome(_ template: String, _ variables: JSONValue) -> String {
        guard case .object(let object) = variables else { return "no variables" }
        var extra: [String: JSONValue] = [:]
        for member in object.members { extra[member.key] = member.value }
        let adds = extra.removeValue(forKey: "add_generation_prompt") == .bool(true)
        var special: [String: String] = [:]
        for name in ["bos_token", "eos_token"] { special[name] = extra.removeValue(forKey: name)?.text }
        do throws(TemplateError) {
            return try "text: "
                + ChatTemplate(template).render(
                    messages: extra.removeValue(forKey: "messages")?.elements ?? [], addGenerationPrompt: adds,
                    extra: extra, specialTokens: special, clock: clock)
        } catch {
            switch error {
            case .syntax: return "error: syntax"
            case .raised(_, let message): return "error: raised \(message)"
            case .evaluation, .limit: return "error: evaluation"
            }
        }
    }

    /// The result of jinja2.
    static func expected(_ golden: JSONValue) -> String {
        if let text = golden["text"]?.text { return "text: " + text }
        let error = golden["error"]?.text ?? "none"
        return "error: " + error + (golden["message"]?.text.map { " " + $0 } ?? "")
    }

    static let families = (try? goldens.get())?["families"]?.elements.compactMap { $0["name"]?.text } ?? []
}

@Suite("Chat templates against jinja2")
struct TemplateGoldenTests {
    @Test("the goldens have all families")
    func fixture() {
        #expect(TemplateFixture.families.count == 16)
    }

    @Test("snippets render as in jinja2")
    func snippets() throws {
        let goldens = try TemplateFixture.goldens.get()
        let data = try #require(goldens["data"])
        let snippets = try #require(goldens["snippets"]).elements
        #expect(snippets.count > 600)
        for golden in snippets {
            let template = try #require(golden["template"]?.text)
            let outcome = TemplateFixture.outcome(template, data)
            let expected = TemplateFixture.expected(golden)
            #expect(outcome.scalars == expected.scalars, "\(template)\n  jinja2: \(expected)\n  here:   \(outcome)")
        }
    }

    @Test("templates of model families render as in jinja2", arguments: TemplateFixture.families)
    func families(name: String) throws {
        let goldens = try TemplateFixture.goldens.get()
        let sets = try #require(goldens["sets"])
        let family = try #require(goldens["families"]?.elements.first { $0["name"]?.text == name })
        let template = try #require(family["template"]?.text)
        let runs = try #require(family["runs"]).elements
        #expect(runs.count > 50)
        for run in runs {
            guard case .object(let given)? = run["variables"] else { continue }
            let variables = JSONObject(
                members: given.members.map { member in
                    let name = member.value.text.flatMap { $0.hasPrefix("@") ? String($0.dropFirst()) : nil }
                    return JSONObject.Member(key: member.key, value: name.flatMap { sets[$0] } ?? member.value)
                })
            let outcome = TemplateFixture.outcome(template, .object(variables))
            let expected = TemplateFixture.expected(run)
            #expect(outcome.scalars == expected.scalars, "\(given)\n  jinja2: \(expected)\n  here:   \(outcome)")
        }
    }
}

extension JSONValue {
    var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }
    var text: String? { if case .string(let text) = self { text } else { nil } }
}

extension String {
    /// The scalars. Unlike strings, they differ for canonically equivalent texts.
    var scalars: [UInt32] { unicodeScalars.map(\.value) }
}
