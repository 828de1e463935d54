/// How a template expects the content of a message: one of the two formats of OpenAI's API, named as in vLLM's
/// `--chat-template-content-format`.
public enum ContentFormat: Sendable, Equatable {
    /// One text: `{{ message.content }}`.
    case string
    /// A list of parts, objects with `type` and `text`: `{% for part in message.content %}{{ part.text }}{% endfor %}`.
    case parts
}

/// Detects a template's content format: it is `parts` if the template loops over the content of a message.
///
/// The result is that of vLLM's `_detect_content_format`: variables that are set to `messages` or to a part of it count
/// as `messages`, in every scope; the targets of loops over them count as messages.
struct ContentFormatDetector {
    private let names: [String]
    private var assignments: [(target: Target, value: Expression)] = []
    private var loops: [Loop] = []

    /// A detector for the template `body`; `names` are its uses of names.
    init(_ body: [Statement], names: [String]) {
        self.names = names
        collect(body)
    }

    var format: ContentFormat {
        guard let messages = variables(of: "messages") else { return .string }
        var items: Set<String> = []
        for loop in loops where messages.contains(where: { isAccess(loop.sequence, to: $0) }) {
            // With several targets in such a loop, vLLM falls back to the default.
            guard case .name(let use) = loop.target else { return .string }
            items.insert(names[use])
        }
        let overContent = loops.first { loop in items.contains { isAccess(loop.sequence, to: $0, key: "content") } }
        guard let overContent, case .name = overContent.target else { return .string }
        return .parts
    }

    /// `name` and all variables that are set to it; `nil`: an attribute or a tuple is set to it.
    private func variables(of name: String) -> [String]? {
        var found = [name]
        var index = 0
        while index < found.count {
            for assignment in assignments where isAccess(assignment.value, to: found[index]) {
                guard case .name(let use) = assignment.target else { return nil }
                if !found.contains(names[use]) { found.append(names[use]) }
            }
            index += 1
        }
        return found
    }

    /// Whether `expression` is `variable`, or its item `key` if one is given, possibly sliced, filtered or tested.
    private func isAccess(_ expression: Expression, to variable: String, key: String? = nil) -> Bool {
        switch expression.node {
        case .filter(let input?, _): return isAccess(input, to: variable, key: key)
        case .test(let operand, _): return isAccess(operand, to: variable, key: key)
        case .slice(let object, _, _, _): return isAccess(object, to: variable, key: key)
        case .name(let use): return key == nil && names[use] == variable
        case .attribute(let object, let name): return name.text.string == key && isName(object, variable)
        case .item(let object, let index):
            guard case .literal(.text(let text)) = index.node else { return false }
            return text.string == key && isName(object, variable)
        default: return false
        }
    }

    private func isName(_ expression: Expression, _ variable: String) -> Bool {
        if case .name(let use) = expression.node { names[use] == variable } else { false }
    }

    /// Collects all assignments and loops, in source order.
    private mutating func collect(_ body: [Statement]) {
        for statement in body {
            switch statement {
            case .text, .output, .break, .continue: break
            case .set(let target, let value, _): assignments.append((target, value))
            case .conditional(let branches, let otherwise):
                for branch in branches { collect(branch.body) }
                collect(otherwise)
            case .loop(let loop):
                loops.append(loop)
                collect(loop.body)
                collect(loop.otherwise)
            case .macro(_, let declaration), .call(_, let declaration): collect(declaration.body)
            case .setBlock(_, _, let body, _, _), .filterBlock(_, let body, _), .with(_, let body, _),
                .generation(let body, _), .block(let body, _, _):
                collect(body)
            }
        }
    }
}
