/// A chat template: the small program, written in Jinja, that turns messages into a model's prompt.
///
/// It gives what Hugging Face's `apply_chat_template` gives, byte for byte: Jinja 3.1 with `trim_blocks` and
/// `lstrip_blocks`, loop controls, `generation` blocks and the immutable sandbox. It cannot reach files, the network
/// or the process, and it ends: see `TemplateLimits`.
///
/// Not supported, and refused when the template is read: template inheritance, includes and imports, and filters that no
/// chat template uses.
///
/// Reference: <https://jinja.palletsprojects.com/en/stable/templates/>.
public struct ChatTemplate: Sendable {
    let program: TemplateProgram

    /// How the template wants the contents of messages.
    public let contentFormat: ContentFormat

    /// Reads a template once, for many renderings.
    ///
    /// - Throws: `TemplateError.syntax`: not a template, or one that uses what is not supported;
    ///   `TemplateError.limit`: it nests too deeply.
    public init(_ source: String) throws(TemplateError) {
        program = try TemplateProgram(source)
        contentFormat = ContentFormatDetector(program.body, names: program.names).format
    }

    /// Whether the template looks at the variable `name` that it is given.
    public func reads(_ name: String) -> Bool {
        let name = Text(name)
        return program.layouts.contains { layout in
            layout.slots.contains { if case .given(name) = $0 { true } else { false } }
        }
    }

    /// Whether the template has `text` as a literal.
    public func hasLiteral(_ text: String) -> Bool { program.literals.contains(Text(text)) }

    /// A message of `text`, its content in the template's format.
    public func message(role: String, text: String) -> TemplateValue {
        let content: TemplateValue =
            contentFormat == .string ? .string(text) : [["type": "text", "text": .string(text)]]
        return ["role": .string(role), "content": content]
    }

    /// The prompt for `messages`.
    ///
    /// - Parameters:
    ///   - messages: Objects, usually with `role` and `content`.
    ///   - addGenerationPrompt: Whether the prompt ends where the assistant's answer begins.
    ///   - extra: More variables, such as `tools` and `documents`, which are none if not given. They may not replace
    ///     the variables that the other parameters set.
    ///   - specialTokens: Texts of special tokens by the names that templates use: `bos_token`, `eos_token`, `pad_token`.
    ///   - clock: The time that `strftime_now` tells.
    ///   - limits: How much the rendering may take.
    /// - Throws: `TemplateError.raised`: the template refuses the messages; `TemplateError.evaluation`: it fails on
    ///   them; `TemplateError.limit`: it takes more than `limits`.
    public func render(
        messages: [TemplateValue], addGenerationPrompt: Bool, extra: [String: TemplateValue] = [:],
        specialTokens: [String: String] = [:], clock: TemplateClock = .system,
        limits: TemplateLimits = TemplateLimits()
    ) throws(TemplateError) -> String {
        var variables: [Text: TemplateValue] = ["tools": .null, "documents": .null]
        for (name, value) in extra { variables[Text(name)] = value }
        for (name, text) in specialTokens { variables[Text(name)] = .string(text) }
        variables["messages"] = .array(messages)
        variables["add_generation_prompt"] = .bool(addGenerationPrompt)
        let interpreter = Interpreter(program, clock: clock, limits: limits)
        return try interpreter.run(variables)
    }
}

/// A template, read and resolved.
struct TemplateProgram: Sendable {
    let body: [Statement]
    /// Where the value of each use of a name is.
    let places: [NamePlace]
    let names: [String]
    let layouts: [ScopeLayout]
    /// The strings that the template has in quotes.
    let literals: Set<Text>

    init(_ source: String) throws(TemplateError) {
        var parser = try TemplateParser(source)
        body = try parser.parse()
        var resolver = NameResolver(parser)
        try resolver.resolve(body)
        places = resolver.places
        layouts = resolver.layouts
        names = parser.names.map(\.name)
        literals = Set(
            parser.tokens.compactMap { token in if case .string(let text) = token.kind { text } else { nil } })
    }
}
