/// How one value is laid out: `[[fill]align][sign][#][0][width][,][.precision][type]`.
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

    /// Wider or more precise than any text needs.
    static let maximum = 100_000

    init() {}

    /// `nil`: not a specification.
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
