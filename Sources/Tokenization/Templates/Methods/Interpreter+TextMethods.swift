extension Interpreter {
    /// The methods of text.
    func call(_ method: MethodName, of text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        for value in arguments.positional { try step(value.work) }
        switch method {
        case .upper, .lower, .casefold, .title, .capitalize, .swapcase, .isalnum, .isalpha, .isascii, .isdecimal,
            .isdigit, .isidentifier, .istitle, .islower, .isnumeric, .isprintable, .isspace, .isupper:
            _ = try bind(arguments, [], method.rawValue)
            return try callSimple(method, of: text)
        case .strip, .lstrip, .rstrip:
            let values = try bind(arguments, ["chars"], method.rawValue)
            return try self.text(
                text.stripped(
                    try characters(values[0]), leading: method != .rstrip, trailing: method != .lstrip))
        case .split, .rsplit: return try split(method, text, arguments)
        case .splitlines:
            let values = try bind(arguments, ["keepends"], method.rawValue)
            return try texts(text.lines(keepingEnds: values[0]?.isTrue ?? false))
        case .startswith, .endswith, .find, .rfind, .index, .rindex, .count:
            return try search(method, text, arguments)
        case .removeprefix, .removesuffix:
            let affix = try argument(arguments, method)
            let matches =
                method == .removeprefix ? text.bytes.starts(with: affix.bytes) : text.ends(with: affix.bytes)
            guard matches else { return .text(text) }
            let kept = text.bytes.count - affix.bytes.count
            return try self.text(
                Text(method == .removeprefix ? text.bytes.suffix(kept) : text.bytes.prefix(kept)))
        case .partition, .rpartition: return try partition(method, text, try argument(arguments, method))
        case .replace:
            let values = try bind(arguments, ["old", "new", "count"], required: 2, "replace")
            guard case .text(let old)? = values[0], case .text(let new)? = values[1] else {
                throw failure("replace() arguments must be str")
            }
            return try replaced(text, old, new, try integer(values[2], missing: -1))
        case .join: return try join(text, arguments)
        case .format: return try formatted(text, with: arguments)
        case .center, .ljust, .rjust, .zfill: return try pad(method, text, arguments)
        case .encode: return try encoded(text, arguments)
        case .expandtabs:
            let values = try bind(arguments, ["tabsize"], "expandtabs")
            return try expandedTabs(text, try integer(values[0], missing: 8))
        default: throw failure("the method '\(method.rawValue)' of strings is not supported")
        }
    }

    private func callSimple(_ method: MethodName, of text: Text) throws(TemplateError) -> Value {
        func all(_ holds: (Unicode.Scalar) -> Bool) -> Value { .bool(!text.isEmpty && text.scalars.allSatisfy(holds)) }
        switch method {
        case .upper: return try self.text(text.uppercased)
        case .lower, .casefold: return try self.text(text.lowercased)
        case .title: return try self.text(text.titlecased)
        case .capitalize: return try self.text(text.capitalized)
        case .swapcase: return try self.text(text.swapcased)
        case .isalnum: return all(\.isPythonAlphanumeric)
        case .isalpha: return all(\.isPythonLetter)
        case .isascii: return .bool(text.isASCII)
        case .isdecimal: return all { $0.properties.generalCategory == .decimalNumber }
        case .isdigit: return all { [.decimal, .digit].contains($0.properties.numericType) }
        case .isnumeric: return all { $0.properties.numericType != nil }
        case .isspace: return all(\.isPythonSpace)
        case .istitle: return .bool(text.isTitle)
        case .isidentifier:
            let scalars = text.scalars
            guard let first = scalars.first, first == "_" || first.properties.isXIDStart else { return .bool(false) }
            return .bool(scalars.allSatisfy(\.properties.isXIDContinue))
        case .isprintable: return .bool(text.scalars.allSatisfy(\.isPythonPrintable))
        default: return .bool(text.isAllCase(upper: method == .isupper))
        }
    }

    /// The only argument, which must be text.
    private func argument(_ arguments: CallArguments, _ method: MethodName) throws(TemplateError) -> Text {
        let values = try bind(arguments, ["text"], required: 1, method.rawValue)
        guard case .text(let text)? = values[0] else { throw failure("\(method.rawValue)() argument must be str") }
        return text
    }

    private func split(
        _ method: MethodName, _ text: Text, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["sep", "maxsplit"], method.rawValue)
        let count = try integer(values[1], missing: -1)
        let limit = count < 0 ? nil : count
        guard let separator = values[0], separator.isSomething else {
            return try texts(text.splitAtSpace(limit: limit, fromRight: method == .rsplit))
        }
        guard case .text(let separator) = separator else { throw failure("must be str or None") }
        guard !separator.isEmpty else { throw failure("empty separator") }
        return try texts(
            method == .split ? text.split(separator, limit: limit) : text.splitFromRight(separator, limit: limit))
    }

    private func partition(_ method: MethodName, _ text: Text, _ separator: Text) throws(TemplateError) -> Value {
        guard !separator.isEmpty else { throw failure("empty separator") }
        let parts = method == .partition ? text.split(separator, limit: 1) : text.splitFromRight(separator, limit: 1)
        let all: [Text]
        if parts.count == 2 {
            all = [parts[0], separator, parts[1]]
        } else {
            all = method == .partition ? [text, "", ""] : ["", "", text]
        }
        return try sequence(.tuple, all.map { .text($0) })
    }

    /// With spaces up to the next column that `size` divides in the place of each tab.
    private func expandedTabs(_ text: Text, _ size: Int) throws(TemplateError) -> Value {
        var result: [UInt8] = []
        var column = 0
        for byte in text.bytes {
            switch byte {
            case UInt8(ascii: "\t"):
                guard size > 0 else { continue }
                let count = size - column % size
                try allocate(count)
                result += Array(repeating: UInt8(ascii: " "), count: count)
                column += count
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                result.append(byte)
                column = 0
            default:
                result.append(byte)
                if byte & 0xC0 != 0x80 { column += 1 }
            }
        }
        return try self.text(Text(result))
    }

    private func join(_ separator: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["iterable"], required: 1, "join")
        var bytes: [UInt8] = []
        for (index, element) in try elements(values[0] ?? .none).enumerated() {
            guard case .text(let part) = element else {
                throw failure("sequence item \(index): expected str instance, \(element.typeName) found")
            }
            try allocate(part.bytes.count + separator.bytes.count)
            if index > 0 { bytes += separator.bytes }
            bytes += part.bytes
        }
        return .text(Text(bytes))
    }

    private func pad(_ method: MethodName, _ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["width", "fillchar"], required: 1, method.rawValue)
        let width = try integer(values[0], missing: 0)
        let fill = try self.text(values[1], missing: " ")
        guard fill.count == 1 else { throw failure("the fill character must be exactly one character long") }
        let padding = width.subtractingReportingOverflow(text.count)
        guard !padding.overflow, padding.partialValue > 0 else { return .text(text) }
        switch method {
        case .ljust: return try padded(text, left: 0, right: padding.partialValue, fill: fill)
        case .rjust: return try padded(text, left: padding.partialValue, right: 0, fill: fill)
        case .center: return try centered(text, width, fill: fill)
        default:
            let isSigned = text.bytes.first == UInt8(ascii: "-") || text.bytes.first == UInt8(ascii: "+")
            let digits = Text(text.bytes.dropFirst(isSigned ? 1 : 0))
            guard case .text(let padded) = try padded(digits, left: padding.partialValue, right: 0, fill: "0") else {
                return .text(text)
            }
            return try self.text(Text(text.bytes.prefix(isSigned ? 1 : 0) + padded.bytes))
        }
    }
}

extension Text {
    func ends(with suffix: [UInt8]) -> Bool { bytes.suffix(suffix.count).elementsEqual(suffix) }
}

extension Unicode.Scalar {
    /// Python's `str.isalpha`.
    var isPythonLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    /// Python's `str.isalnum`.
    var isPythonAlphanumeric: Bool { isPythonLetter || properties.numericType != nil }
}
