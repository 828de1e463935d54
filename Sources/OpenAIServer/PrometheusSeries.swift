import CoreMetrics
import Synchronization

/// A series of the exposition: one line, or one histogram.
protocol PrometheusSeries: AnyObject, Sendable {
    /// Appends the current value.
    func write(name: String, labels: PrometheusLabels, to text: inout String)
}

/// A counter or gauge.
final class PrometheusValue: PrometheusSeries, CounterHandler, FloatingPointCounterHandler, MeterHandler,
    RecorderHandler
{
    private let value = Mutex(0.0)

    func increment(by amount: Int64) { increment(by: Double(amount)) }

    func increment(by amount: Double) {
        value.withLock { $0 += amount }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    func reset() { set(0.0) }

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) {
        self.value.withLock { $0 = value }
    }

    func record(_ value: Int64) { set(Double(value)) }

    func record(_ value: Double) { set(value) }

    func write(name: String, labels: PrometheusLabels, to text: inout String) {
        text += "\(name)\(labels.text) \(PrometheusText.number(value.withLock { $0 }))\n"
    }
}

/// A histogram with fixed bounds.
final class PrometheusHistogram: PrometheusSeries, RecorderHandler, TimerHandler {
    private struct State {
        var counts: [Int]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    /// Counts values up to each of the ascending `bounds`, and beyond the last.
    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func write(name: String, labels: PrometheusLabels, to text: inout String) {
        let state = state.withLock { $0 }
        var count = 0
        for (index, inBucket) in state.counts.enumerated() {
            count += inBucket
            let bound = index < bounds.count ? PrometheusText.number(bounds[index]) : "+Inf"
            text += "\(name)_bucket\(labels.adding("le", bound)) \(count)\n"
        }
        text += "\(name)_sum\(labels.text) \(PrometheusText.number(state.sum))\n"
        text += "\(name)_count\(labels.text) \(count)\n"
    }
}

/// Names and values in Prometheus' text format.
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

    /// The labels with an additional one.
    func adding(_ name: String, _ value: String) -> String {
        "{\((pairs + ["\(name)=\"\(value)\""]).joined(separator: ","))}"
    }
}
