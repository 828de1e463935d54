extension Interpreter {
    func apply(
        _ filter: FilterName, _ input: Value, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        // These do not look at the elements of containers; everything looks at those of text.
        let isCheap = filter == .length || filter == .first || filter == .default
        if case .text = input { try step(input.work) } else if !isCheap { try step(input.work) }
        for value in arguments.positional { try step(value.work) }
        for argument in arguments.named { try step(argument.value.work) }
        switch filter {
        case .capitalize, .center, .escape, .forceescape, .format, .indent, .lower, .replace, .safe, .string, .title,
            .trim, .truncate, .upper, .wordcount:
            return try applyToText(filter, input, arguments)
        case .abs, .float, .int, .round: return try applyToNumber(filter, input, arguments)
        case .map, .select, .selectattr, .reject, .rejectattr:
            return try deeper { () throws(TemplateError) in try applyToEach(filter, input, arguments) }
        case .sort, .dictsort, .unique, .min, .max, .groupby: return try applyInOrder(filter, input, arguments)
        case .batch, .first, .items, .join, .last, .length, .list, .reverse, .sum:
            return try applyToSequence(filter, input, arguments)
        case .default:
            let values = try bind(arguments, ["default_value", "boolean"], "default")
            let replaces = input.isUndefined || values[1]?.isTrue == true && !input.isTrue
            return replaces ? values[0] ?? .text("") : input
        case .attr:
            let values = try bind(arguments, ["name"], required: 1, "attr")
            guard case .text(let name) = values[0] else { throw failure("'attr' needs a name") }
            if case .undefined(let undefined) = input { throw failure(undefined.message) }
            let found = try attribute(AttributeName(name), of: input)
            guard case .dictionary(let dictionary) = input,
                MethodName(rawValue: name.string)?.belongs(to: input) != true,
                dictionary[.text(name)] != nil
            else { return found }
            return .undefined(UndefinedValue(.attribute(of: input.typeName, name: name)))
        case .tojson: return try toJSON(input, arguments)
        }
    }

    private func toJSON(_ input: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["ensure_ascii", "indent", "separators", "sort_keys"], "tojson")
        var style = JSONStyle()
        style.escapesNonASCII = values[0]?.isTrue ?? false
        switch values[1] {
        case nil, .some(.none): break
        case .text(let indent)?: style.indent = indent
        case let width?:
            let count = max(try index(width), 0)
            try allocate(count)
            style.indent = Text([UInt8](repeating: UInt8(ascii: " "), count: count))
        }
        if style.indent != nil { style.itemSeparator = "," }
        if let separators = values[2], separators.isSomething {
            let pair = try elements(separators)
            guard pair.count == 2, case .text(let item) = pair[0], case .text(let key) = pair[1] else {
                throw failure("'separators' needs two strings")
            }
            style.itemSeparator = item
            style.keySeparator = key
        }
        style.sortsKeys = values[3]?.isTrue ?? false
        var bytes: [UInt8] = []
        try writeJSON(input, style, &bytes)
        return .text(Text(bytes))
    }

    /// A whole number that an argument gives; `missing` if it is not given.
    func integer(_ value: Value?, missing: Int) throws(TemplateError) -> Int {
        guard let value else { return missing }
        return try index(value)
    }

    /// The code points of an argument's text.
    func text(_ value: Value?, missing: Text) throws(TemplateError) -> Text {
        guard let value else { return missing }
        return try string(of: value)
    }
}

extension Value {
    /// Whether it is not `none`.
    var isSomething: Bool { if case .none = self { false } else { true } }
}
