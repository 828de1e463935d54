import Tokenization

extension TemplateValue {
    /// A template's view of `value`, each client's text in it passed through `mark`.
    init(_ value: JSONValue, mark: (String) -> String) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .integer(let integer): self = .int(integer)
        case .number(let number): self = .double(number)
        case .string(let text): self = .string(mark(text))
        case .array(let values): self = .array(values.map { TemplateValue($0, mark: mark) })
        case .object(let object):
            self = .object(
                TemplateObject(
                    object.members.map { (key: mark($0.key), value: TemplateValue($0.value, mark: mark)) }))
        }
    }
}
