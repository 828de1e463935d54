public import JSON

extension TemplateValue {
    /// A template's view of `value`, each text in it, keys too, passed through `mark`.
    public init(_ value: JSONValue, mark: (String) -> String = { $0 }) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .integer(let integer): self = .int(integer)
        case .bigInteger(let digits): self = .bigInteger(digits)
        case .number(let number): self = .double(number)
        case .string(let text): self = .string(mark(text))
        case .array(let values): self = .array(values.map { TemplateValue($0, mark: mark) })
        case .object(let object):
            self = .object(
                TemplateObject(
                    object.members.map { (key: mark($0.key), value: TemplateValue($0.value, mark: mark)) }))
        }
    }

    /// The value that `json`, UTF-8 text, denotes, keys in the order of the text.
    ///
    /// - Throws: `TemplateError.json`: not valid JSON, or nested more than 128 deep.
    public init(json: some Sequence<UInt8>) throws(TemplateError) {
        do throws(JSONError) {
            self.init(try JSONParser.parse(Array(json)))
        } catch {
            throw .json(byteOffset: error.byteOffset, reason: error.problem)
        }
    }
}
