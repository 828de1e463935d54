/// Charts under each other as one SVG file.
public struct ChartSheet {
    /// The colours of a file: the reader's choice of light or dark, or one of them.
    public enum Appearance: String, Sendable, CaseIterable { case automatic, light, dark }

    private static let (titleHeight, legendHeight, gap, margin) = (24, 22, 18, 16)

    private let title: String
    private let charts: [any Chart]

    public init(title: String, charts: [any Chart]) {
        self.title = title
        self.charts = charts
    }

    /// The file, in the colours that the reader chose.
    public var svg: String { svg(.automatic) }

    /// The file.
    public func svg(_ appearance: Appearance) -> String {
        var (y, body) = (Self.margin + 8, "")
        body += "<text class=\"title\" x=\"\(Self.margin)\" y=\"\(y)\">\(HTML.escaped(title))</text>"
        y += Self.gap
        for chart in charts {
            body += "<text class=\"caption\" x=\"\(Self.margin)\" y=\"\(y + 12)\">\(HTML.escaped(chart.title))</text>"
            y += Self.titleHeight
            body += "<g transform=\"translate(\(Self.margin) \(y))\">\(chart.content)</g>"
            y += chart.size.height
            if !chart.legend.isEmpty {
                body += legend(of: chart, y: y + 14)
                y += Self.legendHeight
            }
            y += Self.gap
        }
        let width = (charts.map(\.size.width).max() ?? 0) + 2 * Self.margin
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(y)" width="\(width)" height="\(y)" role="img" \
            aria-label="\(HTML.escaped(title))">
            <style>\(PageStyle.picture(appearance))</style>
            <rect class="paper" width="\(width)" height="\(y)"/>
            \(body)
            </svg>

            """
    }

    private func legend(of chart: any Chart, y: Int) -> String {
        var x = Self.margin
        return chart.legend.enumerated().filter { !$0.element.isEmpty }.map { index, name in
            defer { x += name.count * 7 + 36 }
            return "<rect class=\"s\(index % 8)\" x=\"\(x)\" y=\"\(y - 9)\" width=\"12\" height=\"10\"/>"
                + "<text class=\"key\" x=\"\(x + 17)\" y=\"\(y)\">\(HTML.escaped(name))</text>"
        }.joined()
    }
}
