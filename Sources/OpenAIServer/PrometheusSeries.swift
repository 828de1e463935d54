import CoreMetrics
import Synchronization

/// One line, or one histogram, of the exposition.
protocol PrometheusSeries: AnyObject, Sendable {
    /// Appends the present value.
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
