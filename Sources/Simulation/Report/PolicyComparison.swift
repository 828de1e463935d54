import Reports

/// Several policies side by side as one HTML page without network or scripts, in light and dark.
public struct ComparisonPage {
    private let title: String
    private let description: String
    private let reports: [PolicyReport]

    /// `description` names the trace and the engine.
    public init(title: String, description: String, reports: [PolicyReport]) {
        self.title = title
        self.description = description
        self.reports = reports
    }

    public var html: String {
        var page = ReportPage(title: title, description: description)
        page.append(wide: HTML.table(ComparisonTable(reports).rows))
        page.append(charts)
        return page.html
    }

    private var charts: [LineChart] {
        var charts = [
            distribution("Time to first token") { $0.timeToFirstToken },
            distribution("End-to-end latency") { $0.endToEnd },
            distribution("Time between two tokens") { $0.interToken },
            series("Requests waiting", "requests", nil) { $0.series.waiting },
            series("Requests running", "requests", nil) { $0.series.running },
            series("Cache in use", "share of the blocks", 1) { $0.series.cacheUse },
        ]
        for priority in reports.first?.priorities.map(\.name) ?? [] {
            charts.append(
                distribution("Time to first token, priority \(priority)") { report in
                    report.priorities.first { $0.name == priority }?.timeToFirstToken ?? PolicyReport.Distribution()
                })
        }
        return charts
    }

    private func distribution(
        _ title: String, _ choose: (PolicyReport) -> PolicyReport.Distribution
    ) -> LineChart {
        let lines = reports.map { report in
            let quantiles = choose(report).quantiles
            return LineChart.Series(
                name: report.policy,
                points: quantiles.indices.map { (quantiles[$0], Double($0) / Double(quantiles.count - 1)) })
        }
        return LineChart(
            title: title, xLabel: "seconds (logarithmic)", yLabel: "share of requests at most", series: lines,
            isLogarithmic: true, yLimit: 1)
    }

    private func series(
        _ title: String, _ yLabel: String, _ limit: Double?, _ choose: (PolicyReport) -> [Double]
    ) -> LineChart {
        let lines = reports.map { report in
            LineChart.Series(
                name: report.policy,
                points: choose(report).enumerated().map { (Double($0) * report.series.waitingSeconds, $1) })
        }
        return LineChart(
            title: title, xLabel: "simulated seconds", yLabel: yLabel, series: lines, yLimit: limit)
    }
}

/// Several policies side by side, for a terminal: one row each, times in seconds.
public struct ComparisonTable: CustomStringConvertible {
    let rows: [[String]]

    public init(_ reports: [PolicyReport]) {
        let header = [
            "policy", "finished", "refused", "TTFT mean", "p99", "inter-token p50", "p99", "end-to-end mean", "p99",
            "tokens/s", "preempted", "recomputed", "swapped", "KV use", "KV waste", "gap", "TTFT in time",
        ]
        rows = [header] + reports.map { Self.row($0) }
    }

    private static func row(_ report: PolicyReport) -> [String] {
        let refused = report.requests.rejected + report.requests.queueFull + report.requests.tooLong
        let (first, between, whole) = (report.timeToFirstToken, report.interToken, report.endToEnd)
        let deadlines = report.deadlines
        return [
            report.policy, "\(report.requests.finished)", "\(refused)", Self.seconds(first.mean),
            Self.seconds(first.p99), Self.seconds(between.p50), Self.seconds(between.p99), Self.seconds(whole.mean),
            Self.seconds(whole.p99), Numeral.fixed(report.outputTokensPerSecond, places: 0),
            "\(report.preemptionCount)", "\(report.tokens.recomputed)", "\(report.tokens.swapped)",
            percent(report.cache.meanUse),
            percent(report.cache.waste), Numeral.fixed(report.fairnessGap, places: 0),
            deadlines.count == 0 ? "-" : percent(Double(deadlines.firstTokenMet) / Double(deadlines.count)),
        ]
    }

    private static func seconds(_ value: Double) -> String { Numeral.fixed(value, places: value < 1 ? 4 : 2) }
    private static func percent(_ share: Double) -> String { Numeral.fixed(share * 100, places: 1) + "%" }

    /// Columns aligned, the first to the left and the others to the right.
    public var description: String {
        let text = TextTable(rows).text
        return String(text.dropLast())
    }
}
