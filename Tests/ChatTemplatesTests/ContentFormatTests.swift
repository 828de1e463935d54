import ChatTemplates
import JSON
import Testing

@Suite("The content format of templates")
struct ContentFormatTests {
    /// Templates and the results of vLLM's `_detect_content_format`.
    static let idioms: [(String, ContentFormat)] = [
        ("{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}", .parts),
        ("{% for m in messages %}{% for p in m['content'] %}{{ p['text'] }}{% endfor %}{% endfor %}", .parts),
        ("{% for m in messages %}{{ m.content }}{% endfor %}", .string),
        ("{% for message in messages %}{{ message['role'] + message['content'] | trim }}{% endfor %}", .string),
        (
            "{% set turns = messages %}{% for m in turns %}{% for c in m['content'] %}{{ c }}{% endfor %}{% endfor %}",
            .parts
        ),
        (
            """
            {% if messages[0].role == 'system' %}{% set rest = messages[1:] %}{% else %}{% set rest = messages %}{% endif %}\
            {% for m in rest %}{% for c in m.content %}x{% endfor %}{% endfor %}
            """, .parts
        ),
        (
            """
            {% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for c in m.content %}\
            {{ c.text }}{% endfor %}{% endif %}{% endfor %}
            """, .parts
        ),
        ("{% for m in messages %}{% set c = m.content %}{% for p in c %}{{ p.text }}{% endfor %}{% endfor %}", .string),
        ("{% for m in messages %}{{ m.content | map(attribute='text') | join }}{% endfor %}", .string),
        (
            """
            {% for m in messages | rejectattr('role', 'equalto', 'system') %}{% for c in m.content | \
            selectattr('type', 'equalto', 'text') %}{{ c.text }}{% endfor %}{% endfor %}
            """, .parts
        ),
        ("{% for m in messages[1:] %}{% for c in m['content'][::-1] %}{{ c.text }}{% endfor %}{% endfor %}", .parts),
        (
            """
            {% macro show(content) %}{% for c in content %}{{ c.text }}{% endfor %}{% endmacro %}{% for m in messages %}\
            {{ show(m.content) }}{% endfor %}
            """, .string
        ),
        (
            """
            {% macro show(m) %}{% for c in m.content %}{{ c.text }}{% endfor %}{% endmacro %}{% for m in messages %}\
            {{ show(m) }}{% endfor %}
            """, .parts
        ),
        (
            """
            {% set ns = namespace() %}{% set ns.all = messages %}{% for m in messages %}{% for c in m.content %}x\
            {% endfor %}{% endfor %}
            """, .string
        ),
        ("{% for m in messages %}{% for a, b in m.content %}x{% endfor %}{% endfor %}", .string),
        ("{% for m in messages %}{% for a, b in m.content.items() %}x{% endfor %}{% endfor %}", .string),
        ("{% for i in range(messages|length) %}{% for c in messages[i].content %}x{% endfor %}{% endfor %}", .string),
        ("{% for m in messages.copy() %}{% for c in m.content %}x{% endfor %}{% endfor %}", .string),
        // vLLM's function does not terminate for this template.
        (
            "{% set a = messages %}{% set b = a %}{% set a = b %}{% for m in b %}{% for c in m.content %}x{% endfor %}{% endfor %}",
            .parts
        ),
        ("{% for turn in turns %}{% for c in turn.content %}x{% endfor %}{% endfor %}", .string),
        (
            "{% for m in messages if m.role == 'user' %}{% for c in m.content if c.type == 'text' %}x{% endfor %}{% endfor %}",
            .parts
        ),
        (
            "{% for m in messages %}{% if m %}{% for c in m['content']|list %}x{% endfor %}{% endif %}{% endfor %}",
            .parts
        ),
        ("{% for m in messages %}{% endfor %}{% for c in m.content %}x{% endfor %}", .parts),
        (
            "{% for m in messages %}{% for c in m.tool_calls %}{{ c.id }}{% endfor %}{{ m.content }}{% endfor %}",
            .string
        ),
        ("{{ messages[0].content }}", .string),
        (
            """
            {% filter upper %}{% for m in messages %}{% generation %}{% for c in m.content %}x{% endfor %}{% endgeneration %}\
            {% endfor %}{% endfilter %}
            """, .parts
        ),
        (
            "{% for m in messages %}{% with c = m.content %}{% for p in c %}x{% endfor %}{% endwith %}{% endfor %}",
            .string
        ),
        ("{% set a, b = messages %}{% for m in messages %}{% for c in m.content %}x{% endfor %}{% endfor %}", .string),
        (
            "{% for k, v in messages %}{% endfor %}{% for m in messages %}{% for c in m.content %}x{% endfor %}{% endfor %}",
            .string
        ),
    ]

    @Test("the format is that of vLLM", arguments: idioms.indices)
    func formats(index: Int) throws {
        let (template, format) = Self.idioms[index]
        #expect(try ChatTemplate(template).contentFormat == format, "\(template)")
    }

    @Test("a message of text has the template's format")
    func message() throws {
        let parts = try ChatTemplate(Self.idioms[0].0)
        let text = try ChatTemplate(Self.idioms[2].0)
        for template in [parts, text] {
            let message = template.message(role: "user", text: "Hello")
            #expect(try template.render(messages: [message], addGenerationPrompt: false) == "Hello")
        }
    }

    @Test("the variables that a template reads are known")
    func reads() throws {
        let template = try ChatTemplate(
            """
            {% if not tools is defined %}{% set tools = none %}{% endif %}{% for m in messages %}{% set documents = 1 %}\
            {{ documents }}{% macro f(x) %}{{ x }}{{ deep }}{% endmacro %}{% endfor %}
            """)
        #expect(template.reads("tools") && template.reads("messages") && template.reads("deep"))
        #expect(
            !template.reads("documents") && !template.reads("x") && !template.reads("m") && !template.reads("bos_token")
        )
        #expect(try ChatTemplate("{{ 'tool' }}").hasLiteral("tool") && !ChatTemplate("{{ tool }}").hasLiteral("tool"))
    }
}
