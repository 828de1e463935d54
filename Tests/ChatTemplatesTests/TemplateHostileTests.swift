import ChatTemplates
import JSON
import SharedValues
import Testing

@Suite("Hostile chat templates")
struct TemplateHostileTests {
    private static let limits = TemplateLimits(
        stepCount: 200_000, outputByteCount: 1 << 20, valueByteCount: 16 << 20)

    private static let variables: [String: JSONValue] = [
        "xs": [1, 2, 3], "s": "text", "d": ["a": 1], "n": 7, "long": .string(String(repeating: "ab", count: 50_000)),
    ]

    private func render(_ template: String) throws(TemplateError) -> String {
        try ChatTemplate(template).render(
            messages: [["role": "user", "content": "Hi"]], addGenerationPrompt: true, extra: Self.variables,
            limits: Self.limits)
    }

    private func isLimit(_ error: TemplateError?) -> Bool { if case .limit? = error { true } else { false } }

    @Test(
        "deep nesting in the source is refused",
        arguments: [
            ("{{ ", "(", "", ""), ("{{ ", "[", "", ""), ("{{ ", "{1:", "", ""), ("{{ ", "-", "1", " }}"),
            ("{{ ", "not ", "1", " }}"), ("{{ ", "f(", "", ""), ("{{ x", "[x", "", ""), ("{{ x", ".a", "", " }}"),
            ("{{ x", "|trim", "", " }}"), ("{{ x", "+x", "", " }}"), ("{{ x", " or x", "", " }}"),
            ("{{ x", "**x", "", " }}"),
            ("{{ x", " if x else x", "", " }}"), ("{{ x", " if x", "", " }}"), ("{{ x", "()", "", " }}"),
            ("", "{% if x %}", "", ""), ("", "{% for x in y %}", "", ""), ("", "{% macro m() %}", "", ""),
            ("", "{% set x %}", "", ""), ("", "{% with %}", "", ""), ("{% for ", "(", "", ""),
            ("{{ x", " is x(x", "", ""),
            ("{{ x", " is x[x", "", ""), ("", "{% filter trim %}", "", ""), ("", "{% call m() %}", "", ""),
        ])
    func deepSource(start: String, unit: String, middle: String, end: String) {
        let template = start + String(repeating: unit, count: 20_000) + middle + end
        let error = #expect(throws: TemplateError.self) { try ChatTemplate(template) }
        #expect(isLimit(error), "\(unit): \(String(describing: error))")
    }

    @Test(
        "rendering that runs, grows or nests without end is stopped",
        arguments: [
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "{% for a in range(100000) %}{{ long }}{% endfor %}",
            "{% set ns = namespace(s='x') %}{% for a in range(99999) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
            "{% set ns = namespace(s='x') %}{% for a in range(99999) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
            "{% set ns = namespace(l=[1]) %}{% for a in range(99999) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
            "{% set ns = namespace(l=[]) %}{% for a in range(99999) %}{% set ns.l = [ns.l] %}{% endfor %}",
            "{% set ns = namespace(l={}) %}{% for a in range(99999) %}{% set ns.l = {'k': ns.l} %}{% endfor %}",
            "{% set ns = namespace(l=0) %}{% for a in range(99999) %}{% for x in [ns.l] %}{% set ns.l = loop %}{% endfor %}{% endfor %}",
            "{% set ns = namespace(l=[]) %}{% for a in range(150) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
            "{% set ns = namespace(l=[]) %}{% for a in range(150) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l|tojson }}",
            "{% set a = namespace(l=[]) %}{% set b = namespace(l=[]) %}{% for i in range(150) %}{% set a.l = [a.l, a.l] %}{% set b.l = [b.l, b.l] %}{% endfor %}{{ a.l == b.l }}",
            "{% set a = namespace(l=(1,)) %}{% for i in range(150) %}{% set a.l = (a.l, a.l) %}{% endfor %}{{ {a.l: 1}[a.l] }}",
            "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}",
            "{% set ns = namespace() %}{% set ns.l = [ns] %}{{ ns }}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
            "{% for i in [1] recursive %}{{ loop([1, 2]) }}{{ loop([1, 2]) }}{% endfor %}",
            """
            {% for i in [1] recursive %}{% if i %}{% with a = 1 %}{% filter upper %}{% set q %}{{ [{'a': [loop([1])|upper]}] }}\
            {% endset %}{{ q }}{% endfilter %}{% endwith %}{% endif %}{% endfor %}
            """,
            "{% set j = joiner(long) %}{% for a in range(99999) %}{{ j() }}{% endfor %}",
            "{% for a in range(99999) %}{{ 7 ** 5000 % 3 }}{% endfor %}",
            "{% for a in range(99999) %}{% set b = (7 ** 5000)|string %}{% endfor %}",
            "{% set b = 7 ** 20000 %}{% for a in range(99999) %}{% if b * b == b // 3 %}{% endif %}{% endfor %}",
            "{% set b = 7 ** 20000 %}{% for a in range(99999) %}{% if b in {b: 1} %}{% endif %}{% endfor %}",
            "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
            "{% macro m(x) %}{{ m(x + x) }}{% endmacro %}{{ m('x') }}",
            "{% macro m() %}{% set q %}{{ m() }}{% endset %}{% endmacro %}{{ m() }}",
            "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(30) }}",
            "{% macro m() %}{% call m() %}{{ caller }}{% endcall %}{% endmacro %}{{ m() }}",
            "{{ 'x' * 99999999999 }}", "{{ [1] * 99999999999 }}", "{{ 'ab' * 9223372036854775807 }}",
            "{{ range(9223372036854775807) }}",
            "{{ range(-9223372036854775807, 9223372036854775807) }}", "{{ 'x'.center(9223372036854775807) }}",
            "{{ 'x'.zfill(99999999999) }}",
            "{{ 'x'.ljust(99999999999) }}", "{{ 'x'|indent(99999999999) }}", "{{ [1]|batch(99999999999, 0)|list }}",
            "{{ d|tojson(indent=99999999999) }}",
            "{{ long.replace('', long) }}", "{{ long.replace('a', long) }}", "{{ long|replace('a', long) }}",
            "{{ long|list|join(long) }}", "{{ long.join(long) }}",
            "{% for a in range(99999) %}{{ long|length }}{% endfor %}",
            "{% for a in range(99999) %}{{ 'zz' in long }}{% endfor %}",
            "{% for a in range(99999) %}{{ long == long ~ '' }}{% endfor %}",
            "{% for a in range(99999) %}{{ long.find('zz') }}{% endfor %}",
            "{% for a in range(99999) %}{{ long|upper|lower }}{% endfor %}",
            "{% for a in range(99999) %}{{ long.split() }}{% endfor %}",
            "{% for a in range(99999) %}{% set q = namespace(a=1) %}{% macro m() %}{% endmacro %}{{ loop.changed(long) }}{% endfor %}",
            "{{ range(99999)|sort|sort|sort|sort|sort|sort|sort|sort|sort|map('string')|sort|sort|list }}",
            "{% for a in range(99999) %}{{ '%99999d' % 1 }}{% endfor %}",
            "{% for a in range(99999) %}{{ '{:>99999}'.format(1) }}{% endfor %}",
            "{% set ns = namespace() %}{% for a in range(99999) %}{{ raise }}{% for q in range(9999) %}{% endfor %}{% endfor %}",
            "{% filter upper %}{% for a in range(99999) %}{{ long }}{% endfor %}{% endfilter %}",
        ])
    func limits(template: String) {
        let error = #expect(throws: TemplateError.self) { try render(template) }
        #expect(isLimit(error), "\(template): \(String(describing: error))")
    }

    @Test(
        "arithmetic that does not fit is an error",
        arguments: [
            "{{ 10 ** 1000000000 }}", "{{ 2 ** 60000 }}", "{{ 10 ** 4300 }}", "{{ (10 ** 4300)|tojson }}",
            "{{ 2 ** 65536 }}",
            "{{ (2 ** 65000) * (2 ** 65000) > 1 }}", "{{ (2 ** 65000) ** 1000 > 1 }}", "{{ (10 ** 400) / 3 }}",
            "{{ (10 ** 400) * 1.5 }}", "{{ (10 ** 400)|float }}", "{{ '%c' % 2 ** 70 }}",
            "{{ range(2 ** 70) }}", "{{ 'x' * 2 ** 70 }}", "{{ 5|round(9999999) }}", "{{ 2.0 ** 10000 }}",
            "{{ '%9999999999999999999999d' % 1 }}",
            "{{ '{:99999999999999999999}'.format(1) }}", "{{ '{99999999999999999999}'.format(1) }}",
            "{{ 'x'|truncate(-9223372036854775807) }}",
        ])
    func overflow(template: String) {
        #expect(throws: TemplateError.self) { try render(template) }
    }

    @Test(
        "extreme numbers are accepted as in Python",
        arguments: [
            ("{{ (-9223372036854775807 - 1) % -1 }}", "0"), ("{{ xs[9223372036854775807] }}", ""),
            ("{{ xs[-9223372036854775807] }}", ""),
            ("{{ xs[-9223372036854775807:9223372036854775807:9223372036854775807] }}", "[1]"),
            ("{{ range(9223372036854775800, 9223372036854775807, 5)|list|length }}", "2"),
            ("{{ s.find('t', -9223372036854775807) }}", "0"),
            ("{{ s.split('e', 9223372036854775807) }}", "['t', 'xt']"),
            ("{{ s|truncate(9223372036854775807) }}", "text"),
            ("{{ range(9)[::9223372036854775807]|list }}", "[0]"),
            ("{{ 1 ** 9223372036854775807 }}{{ -1 ** 3 }}", "1-1"),
            ("{{ s.replace('t', '', -9223372036854775807) }}", "ex"),
            ("{{ strftime_now('%9999999999Y') is string }}", nil),
            ("{{ s.center(-9223372036854775807) }}", "text"),
            ("{{ [1, 2]|batch(-9223372036854775807)|list }}", "[[1, 2]]"),
        ])
    func extremes(template: String, expected: String?) {
        let text = try? render(template)
        #expect(text == expected)
    }

    @Test("searching takes linear time")
    func search() throws {
        let text = String(repeating: "a", count: 1 << 20)
        let needle = String(repeating: "a", count: 1 << 19) + "b"
        let template = try ChatTemplate(
            "{{ needle in text }}{{ text.find(needle) }}{{ text.rfind(needle) }}{{ text.count(needle) }}")
        // In quadratic time this would take an hour.
        let result = try template.render(
            messages: [], addGenerationPrompt: false, extra: ["text": .string(text), "needle": .string(needle)])
        #expect(result == "False-1-10")
    }

    @Test(
        "the sandbox has no way out",
        arguments: [
            "{{ ''.__class__.__mro__ }}", "{{ xs.append(1) }}", "{{ d.update(d) }}", "{{ xs.__class__() }}",
            "{% include 'x' %}",
            "{% import 'x' as y %}", "{% extends 'x' %}", "{{ range.__globals__.x }}",
            "{{ '{0.__class__.__init__}'.format(1) }}",
            "{{ raise_exception.__self__.x }}", "{{ self.x }}", "{{ cycler.__init__.__globals__ }}",
        ])
    func sandbox(template: String) {
        #expect(throws: TemplateError.self) { try render(template) }
    }

    @Test("errors name the line")
    func lines() {
        let cases: [(String, TemplateError)] = [
            ("a\nb\n{{ x | nosuch }}", .syntax(line: 3, reason: "no filter named 'nosuch'")),
            ("\n\n\n{{ x is nosuch }}", .syntax(line: 4, reason: "no test named 'nosuch'")),
            ("{# \n #}\n{% frob %}", .syntax(line: 3, reason: "unknown tag 'frob'")),
            ("\n{{ nosuch(1) }}", .evaluation(line: 2, reason: "'nosuch' is undefined")),
            (
                "{% raw %}\n{% endraw %}\n\n{{ d.q.r }}",
                .evaluation(line: 4, reason: "'dict object' has no attribute 'q'")
            ),
            ("a\n\n{{ raise_exception('not\nthis') }}", .raised(line: 3, message: "not\nthis")),
            ("a\r\nb\r\n{{ 1 + }}", .syntax(line: 3, reason: "expected an expression, found }}")),
            (
                "{% if x %}\n",
                .syntax(line: 1, reason: "expected 'elif' or 'else' or 'endif', found the end of the template")
            ),
        ]
        for (template, expected) in cases {
            #expect(throws: expected) { try render(template) }
        }
    }

    @Test("mutated templates never crash", arguments: 0..<8)
    func mutations(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed) &* 7919 &+ 1)
        let goldens = try TemplateFixture.goldens.get()
        var sources = goldens["snippets"]?.elements.compactMap { $0["template"]?.text } ?? []
        sources += goldens["families"]?.elements.compactMap { $0["template"]?.text } ?? []
        let pieces = [
            "{{", "}}", "{%", "%}", "{#", "#}", "-", "(", ")", "[", "]", "{", "}", "|", ".", ",", ":", "'", "\"", "\\",
            "is ", "not ",
            "in ", "if ", "else ", "for ", "endfor", "set ", "macro ", "loop", "ns", "*", "**", "//", "%", "~",
            "9223372036854775807",
            "0", "-1", "none", "é", "\u{0}", "\n", "|tojson", "|list", "|sort", "[::-1]", "{% raw %}", "{% break %}",
            "range(99)",
        ]
        var limited = Self.limits
        limited.stepCount = 20_000
        for _ in 0..<400 {
            var scalars = Array((sources.randomElement(using: &random) ?? "").unicodeScalars)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: 0...scalars.count, using: &random)
                let end = min(scalars.count, position + Int.random(in: 0...6, using: &random))
                switch Int.random(in: 0..<4, using: &random) {
                case 0: scalars.removeSubrange(position..<end)
                case 1: scalars.insert(contentsOf: pieces.randomElement(using: &random)!.unicodeScalars, at: position)
                case 2:
                    scalars.replaceSubrange(position..<end, with: pieces.randomElement(using: &random)!.unicodeScalars)
                default:
                    scalars.insert(
                        contentsOf: Array(scalars[position..<end]),
                        at: Int.random(in: 0...scalars.count, using: &random))
                }
            }
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            do throws(TemplateError) {
                let template = try ChatTemplate(String(text))
                _ = try template.render(
                    messages: goldens["sets"]?["tool_pair"]?.elements ?? [], addGenerationPrompt: true,
                    extra: Self.variables, specialTokens: ["bos_token": "<s>"], limits: limited)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    @Test("every prefix of every template ends")
    func prefixes() throws {
        let goldens = try TemplateFixture.goldens.get()
        for family in goldens["families"]?.elements ?? [] {
            let bytes = Array(try #require(family["template"]?.text).utf8)
            for count in stride(from: 0, to: bytes.count, by: 37) {
                _ = try? ChatTemplate(String(decoding: bytes[..<count], as: UTF8.self))
            }
        }
    }
}
