public import CoreMetrics
import Synchronization

/// Counters, gauges and histograms, shown as Prometheus text (exposition format 0.0.4).
///
/// A swift-metrics factory that is passed to the code that records metrics; it is not bootstrapped globally. Counters
/// are shown as counters, meters and plain recorders as gauges, aggregating recorders and timers (in seconds) as
/// histograms. The first use of a name decides its kind; a handler of another kind works but is not shown.
public final class PrometheusMetrics: MetricsFactory {
    private struct Family {
        var kind: PrometheusKind
        var series: [PrometheusLabels: any PrometheusSeries] = [:]
    }

    private let descriptions: [String: MetricDescription]
    private let families = Mutex<[String: Family]>([:])

    /// Metrics with these help texts and bucket bounds.
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

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, kind: .counter) { PrometheusValue() }
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, dimensions, kind: .counter) { PrometheusValue() }
    }

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

    /// Does nothing: series live as long as the metrics, because a missing counter would look like a restart.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// See `destroyCounter`.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    /// Removes a gauge: what it said is no longer so.
    public func destroyMeter(_ handler: any MeterHandler) {
        families.withLock { families in
            for name in Array(families.keys) where families[name]?.kind == .gauge {
                let labels = families[name]?.series.first { $0.value === handler }?.key
                if let labels { families[name]?.series[labels] = nil }
            }
        }
    }
    /// See `destroyCounter`.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    /// See `destroyCounter`.
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// All series as Prometheus text, sorted by name and labels.
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

/// Prometheus' kind of a metric.
enum PrometheusKind: String {
    case counter, gauge, histogram
}
