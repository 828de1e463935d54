extension Interpreter {
    /// Python's `str(value)`: what printing it writes.
    func string(of value: Value) throws(TemplateError) -> Text {
        switch value {
        case .text(let text): return text
        case .undefined: return ""
        default:
            var bytes: [UInt8] = []
            try represent(value, &bytes)
            return Text(bytes)
        }
    }

    /// Python's `repr(value)`, appended.
    func represent(_ value: Value, _ bytes: inout [UInt8]) throws(TemplateError) {
        let start = bytes.count
        try step()
        switch value {
        case .undefined: bytes += "Undefined".utf8
        case .none: bytes += "None".utf8
        case .bool(let bool): bytes += (bool ? "True" : "False").utf8
        case .int(let int): bytes += String(int).utf8
        case .bigInteger(let integer): bytes += try digits(of: integer).utf8
        case .double(let double): bytes += PythonNumber.repr(double).utf8
        case .text(let text):
            bytes += text.isMarkup ? "Markup(\(text.quoted))".utf8 : text.quoted.utf8
        case .sequence(let sequence): return try represent(sequence, &bytes)
        case .dictionary(let dictionary): return try represent(dictionary.entries, &bytes)
        case .namespace(let place):
            bytes += "<Namespace ".utf8
            try represent(namespaces[place].map { (.text($0.key), $0.value) }, &bytes)
            bytes += ">".utf8
        case .macro(let place): bytes += "<Macro '\(macros[place].declaration.name)'>".utf8
        case .loop(let loop): bytes += "<LoopContext \(loop.index + 1)/\(loop.elements.count)>".utf8
        case .helper(let helper): bytes += "<jinja2.utils.\(helper.typeName) object>".utf8
        case .function(let function): bytes += "<function \(function.rawValue)>".utf8
        case .method(let method):
            bytes += "<built-in method \(method.name.rawValue) of \(method.receiver.typeName) object>".utf8
        }
        try allocate(bytes.count - start)
    }

    private func represent(_ sequence: SequenceValue, _ bytes: inout [UInt8]) throws(TemplateError) {
        let (opening, closing): (String, String)
        switch sequence.kind {
        case .list: (opening, closing) = ("[", "]")
        case .tuple: (opening, closing) = ("(", sequence.elements.count == 1 ? ",)" : ")")
        case .keys, .values, .items: (opening, closing) = ("\(sequence.kind.rawValue)([", "])")
        case .range:
            let (start, stop, step) = sequence.bounds
            bytes += "range(\(start), \(stop)\(step == 1 ? "" : ", \(step)"))".utf8
            return
        case .bytes:
            try allocate(4 * sequence.elements.count)
            bytes += EncodedBytes(sequence).quoted.utf8
            return
        case .generator:
            bytes += "<generator object>".utf8
            return
        }
        bytes += opening.utf8
        try deeper { () throws(TemplateError) in
            for (index, element) in sequence.elements.enumerated() {
                if index > 0 { bytes += ", ".utf8 }
                try represent(element, &bytes)
            }
        }
        bytes += closing.utf8
        try allocate(opening.utf8.count + closing.utf8.count + 2 * sequence.elements.count)
    }

    private func represent(_ entries: [DictionaryValue.Entry], _ bytes: inout [UInt8]) throws(TemplateError) {
        bytes += "{".utf8
        try deeper { () throws(TemplateError) in
            for (index, entry) in entries.enumerated() {
                if index > 0 { bytes += ", ".utf8 }
                try represent(entry.key, &bytes)
                bytes += ": ".utf8
                try represent(entry.value, &bytes)
            }
        }
        bytes += "}".utf8
        try allocate(2 + 4 * entries.count)
    }
}

extension Text {
    /// Python's `repr` of a string.
    var quoted: String {
        let hasSingle = bytes.contains(UInt8(ascii: "'"))
        let quote: Unicode.Scalar = hasSingle && !bytes.contains(UInt8(ascii: "\"")) ? "\"" : "'"
        var result = String.UnicodeScalarView()
        result.append(quote)
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
            case quote: result.append(contentsOf: ["\\", quote])
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            case "\r": result.append(contentsOf: "\\r".unicodeScalars)
            case "\t": result.append(contentsOf: "\\t".unicodeScalars)
            default:
                // Noncharacters mark clients' texts while a template renders, and must come out as they went in.
                if scalar.isPythonPrintable || scalar.isMarker {
                    result.append(scalar)
                } else {
                    result.append(contentsOf: scalar.hexadecimalEscape.unicodeScalars)
                }
            }
        }
        result.append(quote)
        return String(result)
    }

    /// With HTML's five special characters as entities.
    var escaped: Text {
        var result: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "&"): result += "&amp;".utf8
            case UInt8(ascii: "<"): result += "&lt;".utf8
            case UInt8(ascii: ">"): result += "&gt;".utf8
            case UInt8(ascii: "'"): result += "&#39;".utf8
            case UInt8(ascii: "\""): result += "&#34;".utf8
            default: result.append(byte)
            }
        }
        return Text(result, isMarkup: true)
    }
}

extension Unicode.Scalar {
    /// One of the noncharacters U+FDD0 to U+FDEF, which are not for interchange.
    var isMarker: Bool { (0xFDD0...0xFDEF).contains(value) }

    /// Python's `str.isprintable`.
    var isPythonPrintable: Bool {
        if self == " " { return true }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }

    /// As Python escapes it in a string.
    var hexadecimalEscape: String {
        let digits = String(value, radix: 16)
        let (letter, width) = value <= 0xFF ? ("x", 2) : value <= 0xFFFF ? ("u", 4) : ("U", 8)
        return "\\\(letter)\(String(repeating: "0", count: width - digits.count))\(digits)"
    }
}
