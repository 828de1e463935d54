extension TemplateValue: Decodable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// The value that the decoder holds. The order of keys is the decoder's; `init(json:)` keeps that of the text.
    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: Key.self) {
            self = .object(
                TemplateObject(
                    try container.allKeys.map { key in
                        (key: key.stringValue, value: try container.decode(TemplateValue.self, forKey: key))
                    }))
            return
        }
        if var container = try? decoder.unkeyedContainer() {
            var elements: [TemplateValue] = []
            while !container.isAtEnd { elements.append(try container.decode(TemplateValue.self)) }
            self = .array(elements)
            return
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else {
            self = .string(try container.decode(String.self))
        }
    }
}
