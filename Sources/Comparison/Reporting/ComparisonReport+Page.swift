import Reports

extension ComparisonReport {
    /// The report as one HTML page that needs no network.
    public var html: String {
        var page = ReportPage(title: title, description: summary)
        let names = [""] + configurations.map(\.name)
        for section in ComparisonFigures(self).sections where !section.rows.isEmpty {
            page.append(heading: section.title)
            page.append(wide: HTML.table([names] + section.rows))
            switch section.title.prefix(1) {
            case "Q": page.append(qualityCharts)
            case "S": page.append(speedCharts)
            default: page.append(memoryCharts)
            }
        }
        for configuration in configurations {
            if let failure = configuration.failure {
                page.append("<p>\(HTML.escaped("\(configuration.name) was not measured to the end: \(failure)"))</p>")
            }
            if let obstacle = configuration.quality?.obstacle {
                page.append(
                    "<p>\(HTML.escaped("\(configuration.name) cannot be compared in everything: \(obstacle)"))</p>")
            }
        }
        for configuration in configurations where !configuration.worstPrompts.isEmpty {
            page.append(heading: "Where \(configuration.name) leaves \(reference ?? "the reference") first")
            page.append(wide: worstTable(configuration))
        }
        return page.html
    }

    /// The charts that matter most as one SVG file.
    public var picture: String {
        ChartSheet(title: title, charts: [divergenceChart, decodeChart, weightsChart, capacityChart]).svg
    }

    private var title: String { "Configurations compared" }

    private var summary: String {
        let others = configurations.map(\.name).filter { $0 != reference }.joined(separator: ", ")
        return "\(others.isEmpty ? "Alone" : others + " beside"): \(reference ?? "nothing"). "
            + "Measured with \(setup.text) and \(setup.prompts), \(setup.date), \(setup.machine). "
            + "± is one standard error."
    }

    private func worstTable(_ configuration: Configuration) -> String {
        let head = ["prompt", "same tokens", reference ?? "", configuration.name]
        let rows = configuration.worstPrompts.map { worst in
            let same = HTML.escaped(worst.sameText)
            let percent = Numeral.fixed(worst.referenceProbability * 100, places: 0)
            return
                "<tr><td>\(HTML.escaped(worst.prompt))</td><td>\(worst.identicalTokens); then \(HTML.escaped(reference ?? "")) "
                + "gave its own next token \(percent) %</td>"
                + "<td>\(same)<mark>\(HTML.escaped(worst.referenceText))</mark></td>"
                + "<td>\(same)<mark>\(HTML.escaped(worst.text))</mark></td></tr>"
        }
        return "<table class=\"texts\"><tr>" + head.map { "<th>\(HTML.escaped($0))</th>" }.joined() + "</tr>"
            + rows.joined() + "</table>"
    }
}
