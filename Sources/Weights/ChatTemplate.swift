internal import JSON
internal import Tensors

/// Finds a Hugging Face checkpoint's chat template.
enum ChatTemplate {
    /// `chat_template.jinja` in `directory`, else the string or the list entry "default" in `tokenizerConfig`.
    static func find(directory: String, tokenizerConfig: JSONDocument?) throws(WeightLoadingError) -> String? {
        let file = directory.appendingPath("chat_template.jinja")
        if PathKind(of: file) == .file { return try text(of: file) }
        guard let tokenizerConfig, let value = tokenizerConfig.value("chat_template") else { return nil }
        switch value {
        case .string(let template): return template
        case .array(let elements): return try named(elements, tokenizerConfig)
        case let other: throw tokenizerConfig.illTyped("chat_template", "a string or a list of templates", other)
        }
    }

    /// The template "default" of a list of `{name, template}`, else the first.
    private static func named(
        _ elements: [JSONValue], _ config: JSONDocument
    ) throws(WeightLoadingError) -> String? {
        var first: String?
        for element in elements {
            guard case .object(let members) = element, case .string(let name) = members["name"],
                case .string(let template) = members["template"]
            else { throw config.illTyped("chat_template", "a list of objects with name and template", element) }
            if name == "default" { return template }
            first = first ?? template
        }
        return first
    }

    private static func text(of file: String) throws(WeightLoadingError) -> String {
        let memory = try mapFile(file)
        let text = withExtendedLifetime(memory) { String(validating: memory.bytes, as: UTF8.self) }
        guard let text else { throw .malformed(file: file, reason: "it is not UTF-8") }
        return text
    }
}
