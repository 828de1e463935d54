/// The chat templates of a model: most have one, some another for requests with tools.
public struct ChatTemplates: Sendable {
    /// The template for requests; `nil`: the model has none of the name `default`.
    public let `default`: ChatTemplate?
    /// The template for requests with tools; `nil`: `default` serves them, too.
    public let toolUse: ChatTemplate?
    /// The names of all templates that the model has.
    public let names: [String]

    /// One template for everything.
    public init(_ template: ChatTemplate) {
        self.default = template
        toolUse = nil
        names = ["default"]
    }

    /// The templates of `sources`, by their names. Only those that requests are rendered with are read: `default` and
    /// `tool_use`; `nil`: there are none at all.
    ///
    /// - Throws: `TemplateError`: one of the two is not a template, or uses what is not supported.
    public init?(sources: [String: String]) throws(TemplateError) {
        guard !sources.isEmpty else { return nil }
        self.default = if let source = sources["default"] { try ChatTemplate(source) } else { nil }
        toolUse = if let source = sources["tool_use"] { try ChatTemplate(source) } else { nil }
        names = sources.keys.sorted()
    }

    /// The template for a request, as Hugging Face's `get_chat_template` chooses it; `nil`: none of the model's is for
    /// requests of this kind.
    public func template(hasTools: Bool) -> ChatTemplate? { hasTools ? toolUse ?? self.default : self.default }
}
