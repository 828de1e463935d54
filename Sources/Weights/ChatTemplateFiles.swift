import CLibrary
internal import JSON
internal import Tensors

/// Finds the chat templates of a Hugging Face directory.
///
/// The first of these that exists is used: `chat_template.jinja` (named `default`) and
/// `additional_chat_templates/NAME.jinja`, the template or the list of named templates in `tokenizer_config.json`, and
/// `chat_template.json`, an older file.
struct ChatTemplateFiles {
    private let directory: String

    init(_ directory: String) { self.directory = directory }

    /// Sources by name. `config` is the value of `chat_template` in `file`.
    func templates(config: JSONValue?, file: String) throws(WeightLoadingError) -> [String: String] {
        var templates: [String: String] = [:]
        let main = directory.appendingPath("chat_template.jinja")
        if PathKind(of: main) == .file { templates["default"] = try Self.text(of: main) }
        let folder = directory.appendingPath("additional_chat_templates")
        for name in Self.entries(of: folder) where name.hasSuffix(".jinja") {
            templates[String(name.dropLast(6))] = try Self.text(of: folder.appendingPath(name))
        }
        if templates.isEmpty, let config { templates = try Self.named(config, file: file) }
        if templates.isEmpty {
            let older = directory.appendingPath("chat_template.json")
            if let value = try TokenizerConfiguration.object(older)?["chat_template"] {
                templates = try Self.named(value, file: older)
            }
        }
        return templates
    }

    /// The templates of a string, a list of `{name, template}` or an object of templates by name.
    private static func named(_ value: JSONValue, file: String) throws(WeightLoadingError) -> [String: String] {
        func illTyped(_ expected: String, _ found: JSONValue) -> WeightLoadingError {
            .illTypedKey(file: file, key: "chat_template", expected: expected, found: found.summary)
        }
        var templates: [String: String] = [:]
        switch value {
        case .null: break
        case .string(let template): templates["default"] = template
        case .array(let elements):
            for element in elements {
                guard case .object(let members) = element, case .string(let name)? = members["name"],
                    case .string(let template)? = members["template"]
                else { throw illTyped("a list of objects with name and template", element) }
                templates[name] = template
            }
        case .object(let object):
            for member in object.members {
                guard case .string(let template) = member.value else {
                    throw illTyped("templates by name", member.value)
                }
                templates[member.key] = template
            }
        default: throw illTyped("a string or a list of templates", value)
        }
        return templates
    }

    private static func text(of file: String) throws(WeightLoadingError) -> String {
        let memory = try mapFile(file)
        let text = withExtendedLifetime(memory) { String(validating: memory.bytes, as: UTF8.self) }
        guard let text else { throw .malformed(file: file, reason: "it is not UTF-8") }
        return text
    }

    /// The names of a directory's entries; empty if there is no such directory.
    private static func entries(of directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { name in
                    name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.sorted()
    }
}
