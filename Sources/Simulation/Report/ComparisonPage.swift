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
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(HTML.escaped(title))</title>
        <style>\(PageStyle.css)</style></head>
        <body><h1>\(HTML.escaped(title))</h1>
        <p>\(HTML.escaped(description))</p>
        <div class="wide">\(table)</div>
        <main>\(charts.map(\.figure).joined(separator: "\n"))</main>
        </body></html>

        """
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

    private var table: String {
        let rows = ComparisonTable(reports).rows
        return "<table>"
            + rows.enumerated().map { index, row in
                let cell = index == 0 ? "th" : "td"
                return "<tr>" + row.map { "<\(cell)>\(HTML.escaped($0))</\(cell)>" }.joined() + "</tr>"
            }.joined() + "</table>"
    }
}
