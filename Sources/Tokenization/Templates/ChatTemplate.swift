/// placeholder until branch `templates` is merged
public struct ChatTemplate: Sendable {
    /// x
    public init(_ source: String) throws(TemplateError) {}
    /// x
    public func render(
        messages: [TemplateValue], addGenerationPrompt: Bool, extra: [String: TemplateValue] = [:],
        bosToken: String? = nil, eosToken: String? = nil
    ) throws(TemplateError) -> String { throw .limit(line: 0, reason: "x") }
}
