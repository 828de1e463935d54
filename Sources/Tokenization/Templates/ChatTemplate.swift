/// A chat template: the small program, written in Jinja, that turns messages into a model's prompt.
///
/// It gives what Hugging Face's `apply_chat_template` gives, byte for byte: Jinja 3.1 with `trim_blocks` and
/// `lstrip_blocks`, loop controls, `generation` blocks and the immutable sandbox. It cannot reach files, the network
/// or the process, and it ends: see `TemplateLimits`.
///
/// Not supported, and refused when the template is read: template inheritance, includes and imports, recursive loops,
/// and filters that no chat template uses. Integers have 64 bits; what does not fit is an error.
///
/// Reference: <https://jinja.palletsprojects.com/en/stable/templates/>.
public struct ChatTemplate: Sendable {
    let program: TemplateProgram

    /// Reads a template once, for many renderings.
    ///
    /// - Throws: `TemplateError.syntax`: not a template, or one that uses what is not supported;
    ///   `TemplateError.limit`: it nests too deeply.
    public init(_ source: String) throws(TemplateError) { program = try TemplateProgram(source) }

    /// The prompt for `messages`.
    ///
    /// - Parameters:
    ///   - messages: Objects, usually with `role` and `content`.
    ///   - addGenerationPrompt: Whether the prompt ends where the assistant's answer begins.
    ///   - extra: More variables, such as `tools` and `documents`, which are none if not given. They may not replace
    ///     the variables that the other parameters set.
    ///   - bosToken: The text of the token that begins a sequence.
    ///   - eosToken: The text of the token that ends a sequence.
    ///   - clock: The time that `strftime_now` tells.
    ///   - limits: How much the rendering may take.
    /// - Throws: `TemplateError.raised`: the template refuses the messages; `TemplateError.evaluation`: it fails on
    ///   them; `TemplateError.limit`: it takes more than `limits`.
    public func render(
        messages: [TemplateValue], addGenerationPrompt: Bool, extra: [String: TemplateValue] = [:],
        bosToken: String? = nil, eosToken: String? = nil, clock: TemplateClock = .system,
        limits: TemplateLimits = TemplateLimits()
    ) throws(TemplateError) -> String {
        var variables: [Text: TemplateValue] = ["tools": .null, "documents": .null]
        for (name, value) in extra { variables[Text(name)] = value }
        variables["messages"] = .array(messages)
        variables["add_generation_prompt"] = .bool(addGenerationPrompt)
        if let bosToken { variables["bos_token"] = .string(bosToken) }
        if let eosToken { variables["eos_token"] = .string(eosToken) }
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

    init(_ source: String) throws(TemplateError) {
        var parser = try TemplateParser(source)
        body = try parser.parse()
        var resolver = NameResolver(parser)
        try resolver.resolve(body)
        places = resolver.places
        layouts = resolver.layouts
        names = parser.names.map(\.name)
    }
}
