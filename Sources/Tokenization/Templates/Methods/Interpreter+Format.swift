extension Interpreter {
    /// Python's `str.format`.
    func formatted(_ format: Text, with arguments: CallArguments) throws(TemplateError) -> Value {
        var result: [UInt8] = []
        var nextAutomatic: Int? = 0
        try expand(format.bytes[...], arguments, &nextAutomatic, &result, level: 0)
        return .text(Text(result))
    }

    private func expand(
        _ format: ArraySlice<UInt8>, _ arguments: CallArguments, _ nextAutomatic: inout Int?, _ result: inout [UInt8],
        level: Int
    ) throws(TemplateError) {
        guard level < 2 else { throw failure("Max string recursion exceeded") }
        var rest = format
        while let byte = rest.popFirst() {
            let isDoubled = rest.first == byte
            switch byte {
            case UInt8(ascii: "{") where isDoubled, UInt8(ascii: "}") where isDoubled:
                result.append(rest.removeFirst())
            case UInt8(ascii: "{"):
                let field = try field(&rest)
                let text = try replacement(field, arguments, &nextAutomatic, level: level)
                try allocate(text.bytes.count)
                result += text.bytes
            case UInt8(ascii: "}"): throw failure("Single '}' encountered in format string")
            default:
                try allocate(1)
                result.append(byte)
            }
        }
    }

    /// What is between the braces, the closing one taken too.
    private func field(_ rest: inout ArraySlice<UInt8>) throws(TemplateError) -> ArraySlice<UInt8> {
        var depth = 0
        for index in rest.indices {
            if rest[index] == UInt8(ascii: "{") { depth += 1 }
            guard rest[index] == UInt8(ascii: "}") else { continue }
            guard depth == 0 else {
                depth -= 1
                continue
            }
            defer { rest = rest[(index + 1)...] }
            return rest[..<index]
        }
        throw failure("expected '}' before end of string")
    }

    private func replacement(
        _ field: ArraySlice<UInt8>, _ arguments: CallArguments, _ nextAutomatic: inout Int?, level: Int
    ) throws(TemplateError) -> Text {
        let colon = field.firstIndex(of: UInt8(ascii: ":")) ?? field.endIndex
        var name = field[..<colon]
        var conversion: UInt8?
        if let mark = name.firstIndex(of: UInt8(ascii: "!")) {
            guard mark == name.endIndex - 2 else { throw failure("a conversion is one letter") }
            conversion = name.last
            name = name[..<mark]
        }
        var value = try self.value(ofField: Text(name), arguments, &nextAutomatic)
        switch conversion {
        case nil: break
        case UInt8(ascii: "s")?: value = .text(try string(of: value))
        case UInt8(ascii: "r")?:
            var bytes: [UInt8] = []
            try represent(value, &bytes)
            value = .text(Text(bytes))
        default: throw failure("unknown conversion")
        }
        var specification: [UInt8] = []
        if colon < field.endIndex {
            try expand(field[(colon + 1)...], arguments, &nextAutomatic, &specification, level: level + 1)
        }
        guard let specification = FormatSpecification(Text(specification)) else {
            throw failure("Invalid format specifier")
        }
        return try laidOut(value, specification)
    }

    private func value(
        ofField name: Text, _ arguments: CallArguments, _ nextAutomatic: inout Int?
    ) throws(TemplateError) -> Value {
        let end = name.bytes.firstIndex { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "[") } ?? name.bytes.count
        let first = Text(name.bytes[..<end])
        var value: Value
        if first.isEmpty || first.bytes.allSatisfy({ (0x30...0x39).contains($0) }) {
            let place: Int
            if first.isEmpty {
                guard let next = nextAutomatic else { throw failure("cannot mix numbered and automatic fields") }
                place = next
                nextAutomatic = next + 1
            } else {
                guard nextAutomatic == nil || nextAutomatic == 0, let number = Int(first.string) else {
                    throw failure("cannot mix automatic and numbered fields")
                }
                place = number
                nextAutomatic = nil
            }
            guard place < arguments.positional.count else { throw failure("Replacement index \(place) out of range") }
            value = arguments.positional[place]
        } else {
            guard let found = arguments.named.first(where: { $0.name == first.string }) else {
                throw failure("no argument '\(first.string)' to format")
            }
            value = found.value
        }
        var rest = name.bytes[end...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: ".") {
                let part = rest.prefix { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "[") }
                value = try attribute(AttributeName(Text(part)), of: value)
                rest = rest[part.endIndex...]
            } else {
                guard byte == UInt8(ascii: "["), let close = rest.firstIndex(of: UInt8(ascii: "]")) else {
                    throw failure("a format field is malformed")
                }
                let key = Text(rest[..<close])
                let isNumber = !key.isEmpty && key.bytes.allSatisfy { (0x30...0x39).contains($0) }
                value = try item(isNumber ? .int(Int(key.string) ?? .max) : .text(key), of: value)
                rest = rest[(close + 1)...]
            }
        }
        return value
    }

    /// `value` as a specification lays it out.
    func laidOut(_ value: Value, _ specification: FormatSpecification) throws(TemplateError) -> Text {
        try allocate(specification.width + (specification.precision ?? 0))
        switch (value, specification.type) {
        case (.text, nil), (.text, "s"):
            guard specification.align != "=" else { throw failure("'=' alignment is not for strings") }
            var text = try string(of: value)
            if let precision = specification.precision { text = Text(text.scalars.prefix(precision)) }
            return specification.padded(text, defaultAlign: "<")
        case (.int, nil), (.int, "d"), (.int, "n"), (.int, "x"), (.int, "X"), (.int, "o"), (.int, "b"), (.int, "c"),
            (.bool, "d"), (.bool, "x"):
            guard specification.precision == nil else { throw failure("precision is not for integers") }
            return try laidOut(BigInteger(try index(value)), specification)
        case (.bigInteger(let integer), nil), (.bigInteger(let integer), "d"), (.bigInteger(let integer), "n"),
            (.bigInteger(let integer), "x"), (.bigInteger(let integer), "X"), (.bigInteger(let integer), "o"),
            (.bigInteger(let integer), "b"), (.bigInteger(let integer), "c"):
            guard specification.precision == nil else { throw failure("precision is not for integers") }
            _ = try digits(of: integer)
            return try laidOut(integer, specification)
        case (.bigInteger(let integer), _): return try laidOut(try double(integer), specification)
        case (.int(let int), _): return try laidOut(Double(int), specification)
        case (.bool(let bool), .some): return try laidOut(bool ? 1.0 : 0.0, specification)
        case (.double(let double), _): return try laidOut(double, specification)
        default:
            let isPlain =
                specification.width == 0 && specification.align == nil && specification.precision == nil
                && specification.type == nil
            if case .bool = value, specification.type == nil {
                return specification.padded(try string(of: value), defaultAlign: ">")
            }
            guard isPlain else { throw failure("unsupported format for '\(value.typeName)'") }
            return try string(of: value)
        }
    }

    private func laidOut(_ integer: BigInteger, _ specification: FormatSpecification) throws(TemplateError) -> Text {
        let magnitude = integer.isNegative ? integer.negated : integer
        var (digits, prefix): (String, String)
        switch specification.type {
        case "x": (digits, prefix) = (magnitude.text(radix: 16), "0x")
        case "X": (digits, prefix) = (magnitude.text(radix: 16).uppercased(), "0X")
        case "o": (digits, prefix) = (magnitude.text(radix: 8), "0o")
        case "b": (digits, prefix) = (magnitude.text(radix: 2), "0b")
        case "c":
            guard let scalar = integer.int.flatMap({ UInt32(exactly: $0) }).flatMap(Unicode.Scalar.init) else {
                throw failure("%c arg not in range(0x110000)")
            }
            return specification.padded(Text([scalar]), defaultAlign: "<")
        default: (digits, prefix) = (specification.grouped(magnitude.text()), "")
        }
        if !specification.isAlternate { prefix = "" }
        let sign = specification.sign(isNegative: integer.isNegative) + prefix
        return specification.padded(sign: sign, Text(digits), defaultAlign: ">")
    }

    private func laidOut(_ double: Double, _ specification: FormatSpecification) throws(TemplateError) -> Text {
        let magnitude = double.magnitude
        let digits: String
        let precision = specification.precision
        if !double.isFinite {
            digits = double.isNaN ? "nan" : "inf"
        } else {
            switch specification.type {
            case nil where precision == nil: digits = PythonNumber.repr(magnitude)
            case "f", "F": digits = PythonNumber.fixed(magnitude, precision ?? 6)
            case "%": digits = PythonNumber.fixed(magnitude * 100, precision ?? 6) + "%"
            case "e": digits = PythonNumber.fixed(magnitude, precision ?? 6, "e")
            case "E": digits = PythonNumber.fixed(magnitude, precision ?? 6, "E")
            case "g": digits = PythonNumber.fixed(magnitude, precision ?? 6, "g")
            case "G": digits = PythonNumber.fixed(magnitude, precision ?? 6, "G")
            default: throw failure("this format of a float is not supported")
            }
        }
        let isNegative = double.sign == .minus && !double.isNaN
        return specification.padded(
            sign: specification.sign(isNegative: isNegative), Text(specification.grouped(digits)), defaultAlign: ">")
    }
}
