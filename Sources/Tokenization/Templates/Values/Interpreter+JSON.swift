/// How `tojson` writes.
struct JSONStyle {
    var escapesNonASCII = false
    var indent: Text?
    var itemSeparator: Text = ", "
    var keySeparator: Text = ": "
    var sortsKeys = false
}

extension Interpreter {
    /// JSON as Python's `json.dumps` writes it, appended.
    func writeJSON(
        _ value: Value, _ style: JSONStyle, _ bytes: inout [UInt8], level: Int = 0
    ) throws(TemplateError) {
        try step()
        let start = bytes.count
        switch value {
        case .none: bytes += "null".utf8
        case .bool(let bool): bytes += (bool ? "true" : "false").utf8
        case .int(let int): bytes += String(int).utf8
        case .bigInteger(let integer): bytes += try digits(of: integer).utf8
        case .double(let double): bytes += Interpreter.json(double).utf8
        case .text(let text): Interpreter.quote(text, style, &bytes)
        case .sequence(let sequence) where sequence.kind == .list || sequence.kind == .tuple:
            try write(sequence.elements, "[", "]", style, &bytes, level) { (element, bytes) throws(TemplateError) in
                try self.writeJSON(element, style, &bytes, level: level + 1)
            }
            return
        case .dictionary(let dictionary):
            var entries = dictionary.entries
            if style.sortsKeys { entries = try sorted(entries) { (entry) throws(TemplateError) in entry.key } }
            try write(entries, "{", "}", style, &bytes, level) { (entry, bytes) throws(TemplateError) in
                Interpreter.quote(try self.jsonKey(entry.key), style, &bytes)
                bytes += style.keySeparator.bytes
                try self.writeJSON(entry.value, style, &bytes, level: level + 1)
            }
            return
        default: throw failure("Object of type \(value.typeName) is not JSON serializable")
        }
        try allocate(bytes.count - start)
    }

    private func write<Element>(
        _ elements: [Element], _ opening: String, _ closing: String, _ style: JSONStyle, _ bytes: inout [UInt8],
        _ level: Int, _ writeElement: (Element, inout [UInt8]) throws(TemplateError) -> Void
    ) throws(TemplateError) {
        bytes += opening.utf8
        func breakLine(_ level: Int) throws(TemplateError) {
            guard let indent = style.indent else { return }
            try allocate(1 + indent.bytes.count * level)
            bytes.append(UInt8(ascii: "\n"))
            for _ in 0..<level { bytes += indent.bytes }
        }
        try deeper { () throws(TemplateError) in
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes += style.itemSeparator.bytes }
                try allocate(style.itemSeparator.bytes.count + style.keySeparator.bytes.count)
                try breakLine(level + 1)
                try writeElement(element, &bytes)
            }
        }
        if !elements.isEmpty { try breakLine(level) }
        bytes += closing.utf8
        try allocate(2)
    }

    private static func json(_ double: Double) -> String {
        if double.isNaN { return "NaN" }
        if double.isInfinite { return double < 0 ? "-Infinity" : "Infinity" }
        return PythonNumber.repr(double)
    }

    private func jsonKey(_ key: Value) throws(TemplateError) -> Text {
        switch key {
        case .text(let text): return text
        case .none: return "null"
        case .bool(let bool): return bool ? "true" : "false"
        case .int(let int): return Text(String(int))
        case .bigInteger(let integer): return Text(try digits(of: integer))
        case .double(let double): return Text(Interpreter.json(double))
        default: throw failure("keys must be str, int, float, bool or None, not \(key.typeName)")
        }
    }

    private static func quote(_ text: Text, _ style: JSONStyle, _ bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        if style.escapesNonASCII, !text.isASCII {
            for scalar in text.scalars {
                if scalar.isASCII {
                    escape(UInt8(scalar.value), &bytes)
                } else if scalar.isMarker {
                    bytes += Array(String(Character(scalar)).utf8)
                } else {
                    for unit in UTF16.encode(scalar) ?? .init() { bytes += "\\u\(fourDigits(unit))".utf8 }
                }
            }
        } else {
            for byte in text.bytes { escape(byte, &bytes) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func fourDigits(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    private static func escape(_ byte: UInt8, _ bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): bytes += "\\\"".utf8
        case UInt8(ascii: "\\"): bytes += "\\\\".utf8
        case 0x08: bytes += "\\b".utf8
        case 0x09: bytes += "\\t".utf8
        case 0x0A: bytes += "\\n".utf8
        case 0x0C: bytes += "\\f".utf8
        case 0x0D: bytes += "\\r".utf8
        case 0..<0x20: bytes += "\\u\(fourDigits(UInt16(byte)))".utf8
        default: bytes.append(byte)
        }
    }
}
