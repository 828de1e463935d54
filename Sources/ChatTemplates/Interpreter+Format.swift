/// How one value is formatted: `[[fill]align][sign][#][0][width][,][.precision][type]`.
///
/// Reference: <https://docs.python.org/3/library/string.html#format-specification-mini-language>.
struct FormatSpecification {
    var fill: Unicode.Scalar = " "
    var align: Unicode.Scalar?
    var sign: Unicode.Scalar = "-"
    var isAlternate = false
    var width = 0
    var grouping: Unicode.Scalar?
    var precision: Int?
    var type: Unicode.Scalar?

    /// Maximum width and precision, far above what prompts need.
    static let maximum = 100_000

    init() {}

    /// Parses a specification; `nil`: `text` is not one.
    init?(_ text: Text) {
        var rest = text.scalars[...]
        func isAlign(_ scalar: Unicode.Scalar) -> Bool { "<>=^".unicodeScalars.contains(scalar) }
        if rest.count > 1, isAlign(rest[rest.startIndex + 1]) {
            fill = rest.removeFirst()
            align = rest.removeFirst()
        } else if let first = rest.first, isAlign(first) {
            align = rest.removeFirst()
        }
        if let first = rest.first, "+- ".unicodeScalars.contains(first) { sign = rest.removeFirst() }
        if rest.first == "#" {
            isAlternate = true
            rest.removeFirst()
        }
        if rest.first == "0" {
            rest.removeFirst()
            if align == nil { (fill, align) = ("0", "=") }
        }
        guard let width = Self.number(&rest) else { return nil }
        self.width = width
        if rest.first == "," || rest.first == "_" { grouping = rest.removeFirst() }
        if rest.first == "." {
            rest.removeFirst()
            guard let first = rest.first, ("0"..."9").contains(first) else { return nil }
            guard let precision = Self.number(&rest) else { return nil }
            self.precision = precision
        }
        type = rest.popFirst()
        guard rest.isEmpty else { return nil }
    }

    private static func number(_ rest: inout ArraySlice<Unicode.Scalar>) -> Int? {
        var number = 0
        while let first = rest.first, ("0"..."9").contains(first) {
            number = number * 10 + Int(first.value - 0x30)
            guard number <= maximum else { return nil }
            rest.removeFirst()
        }
        return number
    }

    /// `body` and its sign, padded to the width.
    func padded(sign: String = "", _ body: Text, defaultAlign: Unicode.Scalar) -> Text {
        let padding = max(width - sign.utf8.count - body.count, 0)
        let filler = [UInt8](UTF8.encode(fill)!)
        func fills(_ count: Int) -> [UInt8] { (0..<count).flatMap { _ in filler } }
        let sign = Array(sign.utf8)
        switch align ?? defaultAlign {
        case "<": return Text(sign + body.bytes + fills(padding))
        case "^": return Text(fills(padding / 2) + sign + body.bytes + fills(padding - padding / 2))
        case "=": return Text(sign + fills(padding) + body.bytes)
        default: return Text(fills(padding) + sign + body.bytes)
        }
    }

    /// The sign that is written before a number.
    func sign(isNegative: Bool) -> String { isNegative ? "-" : sign == "-" ? "" : String(sign) }

    /// Digits with a separator after every three.
    func grouped(_ digits: String) -> String {
        guard let grouping else { return digits }
        let whole = digits.prefix { $0.isNumber }
        var result = ""
        for (index, digit) in whole.enumerated() {
            if index > 0, (whole.count - index) % 3 == 0 { result.unicodeScalars.append(grouping) }
            result.append(digit)
        }
        return result + digits.dropFirst(whole.count)
    }
}

/// `str.format`.
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

    /// Takes a field and its closing brace from `rest`; returns the field.
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
        return try formatted(value, specification)
    }

    private func value(
        ofField name: Text, _ arguments: CallArguments, _ nextAutomatic: inout Int?
    ) throws(TemplateError) -> Value {
        let end = name.bytes.firstIndex { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "[") } ?? name.bytes.count
        let first = Text(name.bytes[..<end])
        var value: Value
        if first.isEmpty || first.bytes.allSatisfy({ (0x30...0x39).contains($0) }) {
            let position: Int
            if first.isEmpty {
                guard let next = nextAutomatic else { throw failure("cannot mix numbered and automatic fields") }
                position = next
                nextAutomatic = next + 1
            } else {
                guard nextAutomatic == nil || nextAutomatic == 0, let number = Int(first.string) else {
                    throw failure("cannot mix automatic and numbered fields")
                }
                position = number
                nextAutomatic = nil
            }
            guard position < arguments.positional.count else {
                throw failure("Replacement index \(position) out of range")
            }
            value = arguments.positional[position]
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

    /// `value` in the format of a specification.
    func formatted(_ value: Value, _ specification: FormatSpecification) throws(TemplateError) -> Text {
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
            return try formatted(BigInteger(try index(value)), specification)
        case (.bigInteger(let integer), nil), (.bigInteger(let integer), "d"), (.bigInteger(let integer), "n"),
            (.bigInteger(let integer), "x"), (.bigInteger(let integer), "X"), (.bigInteger(let integer), "o"),
            (.bigInteger(let integer), "b"), (.bigInteger(let integer), "c"):
            guard specification.precision == nil else { throw failure("precision is not for integers") }
            _ = try digits(of: integer)
            return try formatted(integer, specification)
        case (.bigInteger(let integer), _): return try formatted(try double(integer), specification)
        case (.int(let int), _): return try formatted(Double(int), specification)
        case (.bool(let bool), .some): return try formatted(bool ? 1.0 : 0.0, specification)
        case (.double(let double), _): return try formatted(double, specification)
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

    private func formatted(_ integer: BigInteger, _ specification: FormatSpecification) throws(TemplateError) -> Text {
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

    private func formatted(_ double: Double, _ specification: FormatSpecification) throws(TemplateError) -> Text {
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

/// The operator `%` of strings.
extension Interpreter {
    /// Python's `format % value`.
    func formatted(_ format: Text, _ value: Value) throws(TemplateError) -> Value {
        var arguments = [value][...]
        var isTuple = false
        if case .sequence(let sequence) = value, sequence.kind == .tuple {
            arguments = sequence.elements[...]
            isTuple = true
        }
        var result: [UInt8] = []
        var rest = format.bytes[...]
        var usesNames = false
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            let conversion = try conversion(&rest, value, &arguments, &usesNames)
            try allocate(conversion.bytes.count)
            result += conversion.bytes
        }
        // Python accepts an unused value that has subscripts, because named fields could refer to its items.
        let isUnusedAllowed =
            switch value {
            case .dictionary, .undefined: true
            case .sequence(let sequence): sequence.kind == .list || sequence.kind == .range
            default: false
            }
        guard arguments.isEmpty || usesNames || isUnusedAllowed && !isTuple else {
            throw failure("not all arguments converted during string formatting")
        }
        return try text(Text(result))
    }

    private func conversion(
        _ rest: inout ArraySlice<UInt8>, _ value: Value, _ arguments: inout ArraySlice<Value>,
        _ usesNames: inout Bool
    ) throws(TemplateError) -> Text {
        var argument: Value?
        if rest.first == UInt8(ascii: "(") {
            guard let close = rest.firstIndex(of: UInt8(ascii: ")")) else { throw failure("incomplete format key") }
            guard case .dictionary(let dictionary) = value else { throw failure("format requires a mapping") }
            let key = Text(rest[(rest.startIndex + 1)..<close])
            guard let found = dictionary[.text(key)] else { throw failure("no key '\(key.string)' to format") }
            argument = found
            usesNames = true
            rest = rest[(close + 1)...]
        }
        var specification = FormatSpecification()
        specification.align = ">"
        flags: while let flag = rest.first {
            switch flag {
            case UInt8(ascii: "-"): specification.align = "<"
            case UInt8(ascii: "0"):
                if specification.align != "<" { (specification.fill, specification.align) = ("0", "=") }
            case UInt8(ascii: "+"): specification.sign = "+"
            case UInt8(ascii: " "): if specification.sign != "+" { specification.sign = " " }
            case UInt8(ascii: "#"): specification.isAlternate = true
            default: break flags
            }
            rest.removeFirst()
        }
        specification.width = try number(&rest)
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            specification.precision = try number(&rest)
        }
        guard let type = rest.popFirst() else { throw failure("incomplete format") }
        if type == UInt8(ascii: "%") { return "%" }
        guard let argument = argument ?? arguments.popFirst() else {
            throw failure("not enough arguments for format string")
        }
        return try converted(argument, type, specification)
    }

    private func number(_ rest: inout ArraySlice<UInt8>) throws(TemplateError) -> Int {
        var number = 0
        while let digit = rest.first, (0x30...0x39).contains(digit) {
            number = number * 10 + Int(digit - 0x30)
            guard number <= FormatSpecification.maximum else { throw failure("width too big") }
            rest.removeFirst()
        }
        return number
    }

    private func converted(
        _ value: Value, _ type: UInt8, _ given: FormatSpecification
    ) throws(TemplateError) -> Text {
        var specification = given
        switch type {
        case UInt8(ascii: "s"), UInt8(ascii: "r"):
            if specification.align == "=" { (specification.fill, specification.align) = (" ", ">") }
            var text = try string(of: value)
            if type == UInt8(ascii: "r") {
                var bytes: [UInt8] = []
                try represent(value, &bytes)
                text = Text(bytes)
            }
            specification.type = "s"
            return try formatted(.text(text), specification)
        case UInt8(ascii: "d"), UInt8(ascii: "i"), UInt8(ascii: "u"), UInt8(ascii: "x"), UInt8(ascii: "X"),
            UInt8(ascii: "o"):
            let isDecimal = type == UInt8(ascii: "d") || type == UInt8(ascii: "i") || type == UInt8(ascii: "u")
            var number = value.asNumber
            if case .double(let double)? = number, isDecimal {
                number = try whole(double)
            }
            switch number {
            case .int, .bigInteger: break
            default:
                throw failure("%\(Character(Unicode.Scalar(type))) format: a number is required, not \(value.typeName)")
            }
            specification.precision = nil
            specification.type = isDecimal ? "d" : Unicode.Scalar(type)
            return try formatted(number ?? value, specification)
        case UInt8(ascii: "f"), UInt8(ascii: "F"), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "g"),
            UInt8(ascii: "G"):
            guard let number = value.asNumber else { throw failure("must be real number, not \(value.typeName)") }
            specification.type = Unicode.Scalar(type)
            return try formatted(number, specification)
        case UInt8(ascii: "c"):
            if case .text(let text) = value, text.count == 1 { return specification.padded(text, defaultAlign: ">") }
            specification.type = "c"
            return try formatted(.int(try index(value)), specification)
        default: throw failure("unsupported format character '\(Character(Unicode.Scalar(type)))'")
        }
    }
}
