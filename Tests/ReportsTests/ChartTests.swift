import Testing

@testable import Reports

@Suite("Charts, sheets and pages")
struct ChartTests {
    private let bars = BarChart(
        title: "a < b", series: ["one", "<two>"],
        groups: [
            .init(name: "first", bars: [.init(2, error: 0.5, label: "2 ± 0.5"), .init(nil, label: "-")]),
            .init(name: "second", bars: [.init(4, label: "4"), .init(.nan, error: .infinity, label: "?")]),
        ])

    @Test("a bar's length is its number's share of the axis; a missing one has only its label")
    func lengths() throws {
        let widths = bars.content.matches(of: #/<rect [^>]*width="([0-9.]+)"/#).compactMap { Double($0.1) }
        #expect(widths.count == 2)
        #expect(abs(widths[1] / widths[0] - 2) < 0.01)
        #expect(bars.content.contains(">-</text>") && !bars.content.contains("nan"))
        #expect(bars.content.components(separated: "whisker") == 1)
    }

    @Test("a sign that goes before the next one hides no markup")
    func escaping() {
        for sign in ["\u{600}", "\u{6DD}", "\u{70F}", "\u{8E2}", "e\u{301}"] {
            #expect(HTML.escaped("\(sign)<b>\u{301}&") == "\(sign)&lt;b&gt;\u{301}&amp;")
        }
    }

    @Test("where nothing was measured there are no numbers along the axes")
    func nothing() {
        let lines = LineChart(
            title: "t", xLabel: "x", yLabel: "y", series: [.init(name: "a", points: [])], isLogarithmic: true)
        #expect(lines.content.contains("nothing to show") && !lines.content.contains("1e-"))
        let bars = BarChart(title: "t", series: ["a"], groups: [.init(name: "", bars: [.init(0, label: "0")])])
        #expect(bars.content.contains(">1</text>") && !bars.content.contains("1e-"))
    }

    @Test("drawings stay inside of their size")
    func bounds() {
        for match in bars.content.matches(of: #/ (?:x|x1|x2)="([0-9.-]+)"/#) {
            #expect((0...Double(bars.size.width)).contains(Double(match.1) ?? -1))
        }
        for match in bars.content.matches(of: #/ (?:y|y1|y2)="([0-9.-]+)"/#) {
            #expect((0...Double(bars.size.height)).contains(Double(match.1) ?? -1))
        }
    }

    @Test("a single group names its bars and needs no legend")
    func singleGroup() {
        let chart = BarChart(
            title: "t", series: ["one", "two"],
            groups: [.init(name: "", bars: [.init(1, label: "1"), .init(2, label: "2")])])
        #expect(chart.legend.isEmpty && chart.content.contains(">one</text>"))
        #expect(bars.legend == ["one", "<two>"] && bars.content.contains(">second</text>"))
    }

    @Test("sheets and pages escape, follow light and dark, and load nothing")
    func whole() {
        var page = ReportPage(title: "T & t", description: "<d>")
        page.append(heading: "<h>")
        page.append([bars])
        page.append(wide: HTML.table([["<a>", "b"], ["1", "2"]]))
        let sheet = ChartSheet(title: "T & t", charts: [bars, bars])
        for text in [page.html, sheet.svg] {
            #expect(text.contains("T &amp; t") && text.contains("a &lt; b") && text.contains("&lt;two&gt;"))
            #expect(text.contains("prefers-color-scheme: dark") && !text.contains("<two>"))
            for word in ["https:", "<script", "<link", "@import", "url(", "href", "src="] {
                #expect(!text.contains(word))
            }
            for element in ["svg", "text", "g", "figure", "table", "td", "th", "div"] {
                #expect(text.components(separated: "<\(element)[ >]") == text.components(separated: "</\(element)>"))
            }
        }
        #expect(sheet.svg.contains("xmlns=\"http://www.w3.org/2000/svg\""))
    }

    @Test("a table's columns are aligned")
    func table() {
        #expect(TextTable([["", "one"], ["ab", "1"]]).text == "    one\nab    1\n")
    }
}

extension String {
    /// How often `pattern` occurs.
    fileprivate func components(separated pattern: String) -> Int {
        (try? Regex(pattern)).map { ranges(of: $0).count } ?? -1
    }
}
