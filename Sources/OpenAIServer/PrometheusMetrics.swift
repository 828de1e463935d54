public import CoreMetrics
import Synchronization

/// Counters, gauges and histograms, shown as Prometheus text (exposition format 0.0.4).
///
/// A swift-metrics factory that is passed to whoever records, never bootstrapped globally. Counters are shown as
/// counters, meters and plain recorders as gauges, aggregating recorders and timers (in seconds) as histograms. A name
/// keeps the kind it was first used with; a handler of another kind works but is not shown.
public final class PrometheusMetrics: MetricsFactory {
    private struct Family {
        var kind: PrometheusKind
        var series: [PrometheusLabels: any PrometheusSeries] = [:]
    }

    private let descriptions: [String: MetricDescription]
    private let families = Mutex<[String: Family]>([:])

    /// Metrics with these helps and bucket bounds; by default vLLM's and the server's own.
    public init(descriptions: [String: MetricDescription] = MetricDescription.all) {
        self.descriptions = descriptions
    }

    private func series<Series: PrometheusSeries>(
        _ label: String, _ dimensions: [(String, String)], kind: PrometheusKind, make: () -> Series
    ) -> Series {
        let name = PrometheusText.metricName(label)
        let labels = PrometheusLabels(dimensions)
        return families.withLock { families in
            var family = families[name] ?? Family(kind: kind)
            guard family.kind == kind else { return make() }
            if let known = family.series[labels] as? Series { return known }
            let series = make()
            family.series[labels] = series
            families[name] = family
            return series
        }
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> PrometheusHistogram {
        let bounds = descriptions[label]?.bounds ?? MetricDescription.defaultBounds
        return series(label, dimensions, kind: .histogram) { PrometheusHistogram(bounds: bounds) }
    }

    /// A counter of whole steps.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, kind: .counter) { PrometheusValue() }
    }

    /// A counter of any steps.
    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, dimensions, kind: .counter) { PrometheusValue() }
    }

    /// A gauge.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, kind: .gauge) { PrometheusValue() }
    }

    /// A histogram where `aggregate` is set, otherwise a gauge.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate { return histogram(label, dimensions) }
        return series(label, dimensions, kind: .gauge) { PrometheusValue() }
    }

    /// A histogram in seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions)
    }

    /// Series live as long as the metrics: a counter that vanished would look like a restart.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// See `destroyCounter`.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    /// See `destroyCounter`.
    public func destroyMeter(_ handler: any MeterHandler) {}
    /// See `destroyCounter`.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    /// See `destroyCounter`.
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// Everything recorded so far as Prometheus text, names and labels sorted.
    public var exposition: String {
        var text = ""
        let snapshot = families.withLock { $0 }
        for (name, family) in snapshot.sorted(by: { $0.key < $1.key }) {
            if let help = descriptions[name]?.help { text += "# HELP \(name) \(PrometheusText.help(help))\n" }
            text += "# TYPE \(name) \(family.kind.rawValue)\n"
            for (labels, series) in family.series.sorted(by: { $0.key.text < $1.key.text }) {
                series.write(name: name, labels: labels, to: &text)
            }
        }
        return text
    }
}

/// What a metric is to Prometheus.
enum PrometheusKind: String {
    case counter, gauge, histogram
}
