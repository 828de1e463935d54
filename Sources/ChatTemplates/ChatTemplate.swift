import CLibrary

public import JSON

/// A chat template: the small program, written in Jinja, that turns messages into a model's prompt.
///
/// It gives what Hugging Face's `apply_chat_template` gives, byte for byte: Jinja 3.1 with `trim_blocks` and
/// `lstrip_blocks`, loop controls, `generation` blocks and the immutable sandbox. It cannot reach files, the network
/// or the process, and it ends: see `TemplateLimits`.
///
/// Template inheritance, includes, imports, and filters that no chat template uses are not supported: parsing a
/// template that has one of them throws.
///
/// Reference: <https://jinja.palletsprojects.com/en/stable/templates/>.
public struct ChatTemplate: Sendable {
    let program: TemplateProgram

    /// Whether the template expects the content of a message as text or as parts.
    public let contentFormat: ContentFormat

    /// Parses a template once, for many renderings.
    ///
    /// - Throws: `TemplateError.syntax`: `source` is not a template, or uses an unsupported feature;
    ///   `TemplateError.limit`: it nests too deeply.
    public init(_ source: String) throws(TemplateError) {
        program = try TemplateProgram(source)
        contentFormat = ContentFormatDetector(program.body, names: program.names).format
    }

    /// Whether the template reads the variable `name` that a rendering passes to it.
    public func reads(_ name: String) -> Bool {
        let name = Text(name)
        return program.layouts.contains { layout in
            layout.variables.contains { if case .given(name) = $0 { true } else { false } }
        }
    }

    /// Whether `text` is a string literal of the template.
    public func hasLiteral(_ text: String) -> Bool { program.literals.contains(Text(text)) }

    /// A message object with the content `text`, in the template's content format.
    public func message(role: String, text: String) -> JSONValue {
        let content: JSONValue =
            contentFormat == .string ? .string(text) : [["type": "text", "text": .string(text)]]
        return ["role": .string(role), "content": content]
    }

    /// The prompt for `messages`.
    ///
    /// - Parameters:
    ///   - messages: Objects, usually with `role` and `content`.
    ///   - addGenerationPrompt: Whether the prompt ends with the beginning of an assistant message.
    ///   - extra: More variables, such as `tools` and `documents`, which are `none` by default. The variables that the
    ///     other parameters set win over them.
    ///   - specialTokens: Texts of special tokens by the names that templates use: `bos_token`, `eos_token`,
    ///     `pad_token`.
    ///   - clock: The clock that `strftime_now` reads.
    ///   - limits: Maximum time, memory and nesting of the rendering.
    /// - Throws: `TemplateError.raised`: the template refuses the messages; `TemplateError.evaluation`: it fails on
    ///   them; `TemplateError.limit`: it exceeds one of `limits`.
    public func render(
        messages: [JSONValue], addGenerationPrompt: Bool, extra: [String: JSONValue] = [:],
        specialTokens: [String: String] = [:], clock: TemplateClock = .system,
        limits: TemplateLimits = TemplateLimits()
    ) throws(TemplateError) -> String {
        var variables: [Text: JSONValue] = ["tools": .null, "documents": .null]
        for (name, value) in extra { variables[Text(name)] = value }
        for (name, text) in specialTokens { variables[Text(name)] = .string(text) }
        variables["messages"] = .array(messages)
        variables["add_generation_prompt"] = .bool(addGenerationPrompt)
        let interpreter = Interpreter(program, clock: clock, limits: limits)
        return try interpreter.run(variables)
    }
}

/// A parsed template whose names are resolved.
struct TemplateProgram: Sendable {
    let body: [Statement]
    /// The variable that each use of a name refers to.
    let locations: [VariableLocation]
    let names: [String]
    let layouts: [ScopeLayout]
    /// All string literals of the template.
    let literals: Set<Text>

    init(_ source: String) throws(TemplateError) {
        var parser = try TemplateParser(source)
        body = try parser.parse()
        var resolver = NameResolver(parser)
        try resolver.resolve(body)
        locations = resolver.locations
        layouts = resolver.layouts
        names = parser.names.map(\.name)
        literals = Set(
            parser.tokens.compactMap { token in if case .string(let text) = token.kind { text } else { nil } })
    }
}

/// The chat templates of a model: most models have one, some have a second one for requests with tools.
public struct ChatTemplateSet: Sendable {
    /// The template for requests; `nil`: the model has no template of this name.
    public let `default`: ChatTemplate?
    /// The template for requests with tools; `nil`: `default` renders them, too.
    public let toolUse: ChatTemplate?
    /// The names of all templates that the model has.
    public let names: [String]

    /// A set whose one template renders all requests.
    public init(_ template: ChatTemplate) {
        self.default = template
        toolUse = nil
        names = ["default"]
    }

    /// Parses the templates of `sources`, by name. Only `default` and `tool_use` are parsed, because no request is
    /// rendered with another one. `nil`: `sources` is empty.
    ///
    /// - Throws: `TemplateError`: one of the two is not a template, or uses an unsupported feature.
    public init?(sources: [String: String]) throws(TemplateError) {
        guard !sources.isEmpty else { return nil }
        self.default = if let source = sources["default"] { try ChatTemplate(source) } else { nil }
        toolUse = if let source = sources["tool_use"] { try ChatTemplate(source) } else { nil }
        names = sources.keys.sorted()
    }

    /// The template for a request, as Hugging Face's `get_chat_template` chooses it; `nil`: the model has no template
    /// for requests of this kind.
    public func template(hasTools: Bool) -> ChatTemplate? { hasTools ? toolUse ?? self.default : self.default }
}

/// Why a chat template cannot be parsed or rendered. Lines are those of the template, from 1.
public enum TemplateError: Error, Equatable, CustomStringConvertible {
    /// The source is not a template, or uses an unsupported feature.
    case syntax(line: Int, reason: String)
    /// Rendering these messages failed.
    case evaluation(line: Int, reason: String)
    /// The template itself refused these messages (`raise_exception`).
    case raised(line: Int, message: String)
    /// The template runs too long, nests too deeply, or writes too much.
    case limit(line: Int, reason: String)

    public var description: String {
        switch self {
        case .syntax(let line, let reason): "chat template, line \(line): \(reason)"
        case .evaluation(let line, let reason): "chat template, line \(line): \(reason)"
        case .raised(let line, let message): "chat template, line \(line), refuses the messages: \(message)"
        case .limit(let line, let reason): "chat template, line \(line): \(reason)"
        }
    }
}

/// Limits of one rendering. Templates come with models and are not trusted.
public struct TemplateLimits: Sendable, Equatable {
    /// Maximum number of expressions evaluated, statements executed and elements visited, together.
    public var stepCount: Int
    /// Maximum size of the result.
    public var outputByteCount: Int
    /// Maximum size of all values that are created, including those that are no longer needed.
    public var valueByteCount: Int
    /// Maximum nesting of statements, expressions and macro calls while they run.
    public var evaluationDepth: Int
    /// Maximum nesting of lists and dictionaries.
    public var valueDepth: Int
    /// Maximum number of elements of a `range`; Jinja's sandbox has the same limit.
    public var rangeCount: Int

    /// The defaults are far above what templates of published models need.
    public init(
        stepCount: Int = 10_000_000, outputByteCount: Int = 32 << 20, valueByteCount: Int = 1 << 30,
        evaluationDepth: Int = 400, valueDepth: Int = 200, rangeCount: Int = 100_000
    ) {
        self.stepCount = stepCount
        self.outputByteCount = outputByteCount
        self.valueByteCount = valueByteCount
        self.evaluationDepth = evaluationDepth
        self.valueDepth = valueDepth
        self.rangeCount = rangeCount
    }
}

/// The clock that a template's `strftime_now` reads.
public struct TemplateClock: Sendable {
    private let now: @Sendable () -> Int64
    private let isUTC: Bool

    /// A clock whose `now` returns microseconds since 1970, formatted in the process's time zone or in UTC.
    public init(isUTC: Bool = false, microsecondsSince1970 now: @escaping @Sendable () -> Int64) {
        self.isUTC = isUTC
        self.now = now
    }

    /// The system's clock, in the process's time zone.
    public static let system = TemplateClock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// Maximum length of a format, far above what prompts need.
    private static let maximumFormat = 256

    /// The current time in a format of C's `strftime`, as Python's `datetime.now().strftime` returns it; `nil`: the
    /// format is too long, or its result is.
    func formatted(_ format: [UInt8]) -> [UInt8]? {
        guard format.count <= Self.maximumFormat, !format.contains(0) else { return nil }
        let microseconds = now()
        let (floor, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        var seconds = time_t(fraction < 0 ? floor - 1 : floor)
        var fields = tm()
        guard (isUTC ? gmtime_r(&seconds, &fields) : localtime_r(&seconds, &fields)) != nil else { return nil }
        let digits = String(fraction < 0 ? fraction + 1_000_000 : fraction)
        let expanded = Self.expanded(format, String(repeating: "0", count: 6 - digits.count) + digits)
        // `strftime` returns 0 for an empty result and for a failure; one more character tells them apart.
        var buffer = [CChar](repeating: 0, count: 1 << 14)
        let count = strftime(&buffer, buffer.count, String(decoding: expanded, as: UTF8.self) + " ", &fields)
        guard count > 0 else { return nil }
        let bytes = buffer.prefix(count - 1).map { UInt8(bitPattern: $0) }
        return String(validating: bytes, as: UTF8.self).map { Array($0.utf8) }
    }

    /// `format` with the fields expanded that Python handles itself: microseconds, and a time zone that it leaves
    /// empty.
    private static func expanded(_ format: [UInt8], _ microseconds: String) -> [UInt8] {
        var result: [UInt8] = []
        var rest = format[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), let field = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch field {
            case UInt8(ascii: "f"): result += microseconds.utf8
            case UInt8(ascii: "z"), UInt8(ascii: "Z"): break
            default: result += [byte, field]
            }
        }
        return result
    }
}
