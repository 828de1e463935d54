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
        // Python lets whatever has subscripts go unused, as it could be meant for named fields.
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
            return try laidOut(.text(text), specification)
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
            return try laidOut(number ?? value, specification)
        case UInt8(ascii: "f"), UInt8(ascii: "F"), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "g"),
            UInt8(ascii: "G"):
            guard let number = value.asNumber else { throw failure("must be real number, not \(value.typeName)") }
            specification.type = Unicode.Scalar(type)
            return try laidOut(number, specification)
        case UInt8(ascii: "c"):
            if case .text(let text) = value, text.count == 1 { return specification.padded(text, defaultAlign: ">") }
            specification.type = "c"
            return try laidOut(.int(try index(value)), specification)
        default: throw failure("unsupported format character '\(Character(Unicode.Scalar(type)))'")
        }
    }
}
