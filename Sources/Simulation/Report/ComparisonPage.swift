import Reports

/// Several policies side by side as one HTML page that needs nothing else: no network, no scripts, light and dark.
public struct ComparisonPage {
    private let title: String
    private let description: String
    private let reports: [PolicyReport]

    /// A page about `reports`; `description` says which trace and which engine.
    public init(title: String, description: String, reports: [PolicyReport]) {
        self.title = title
        self.description = description
        self.reports = reports
    }

    /// The page.
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
