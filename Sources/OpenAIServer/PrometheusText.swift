/// The rules of Prometheus' text format.
enum PrometheusText {
    /// `label` as a metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`, anything else becomes `_`.
    static func metricName(_ label: String) -> String { name(label, allowsColon: true) }

    /// `label` as a label name: `[a-zA-Z_][a-zA-Z0-9_]*`.
    static func labelName(_ label: String) -> String { name(label, allowsColon: false) }

    private static func name(_ label: String, allowsColon: Bool) -> String {
        var name = ""
        for character in label {
            let isDigit = ("0"..."9").contains(character)
            if isDigit, name.isEmpty { name = "_" }
            let isLetter = ("a"..."z").contains(character) || ("A"..."Z").contains(character)
            let isName = isDigit || isLetter || character == "_" || (allowsColon && character == ":")
            name.append(isName && character.isASCII ? character : "_")
        }
        return name.isEmpty ? "_" : name
    }

    /// A sample or bound: `3` rather than `3.0`, `+Inf`, `NaN`.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if let integer = Int64(exactly: value), abs(integer) < 1 << 53 { return "\(integer)" }
        return "\(value)"
    }

    /// A help line's text.
    static func help(_ text: String) -> String { escape(text, quotes: false) }

    /// A label's value.
    static func labelValue(_ text: String) -> String { escape(text, quotes: true) }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": escaped.append(contentsOf: "\\n".unicodeScalars)
            case "\"" where quotes: escaped.append(contentsOf: "\\\"".unicodeScalars)
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}

/// The labels of a series, sorted by name.
struct PrometheusLabels: Hashable, Sendable {
    private let pairs: [String]

    /// The labels of swift-metrics' dimensions; of equal names the last one counts.
    init(_ dimensions: [(String, String)]) {
        var values: [String: String] = [:]
        for (name, value) in dimensions { values[PrometheusText.labelName(name)] = value }
        pairs = values.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(PrometheusText.labelValue($0.value))\"" }
    }

    /// `{a="1",b="2"}`; empty where there are none.
    var text: String { pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}" }

    /// The same with one label more.
    func adding(_ name: String, _ value: String) -> String {
        "{\((pairs + ["\(name)=\"\(value)\""]).joined(separator: ","))}"
    }
}
