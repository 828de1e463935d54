import FoundationEssentials
import Scheduling
import Testing

@testable import Simulation

@Suite("Reports")
struct ReportTests {
    private func reports() throws -> [PolicyReport] {
        let parameters = try SyntheticParameters("count=50,max_length=120,lengths=alpaca,urgent=0.5,tenants=2")
        return try ["fcfs", "<b>&\"odd\""].map { name in
            var trace = SyntheticTrace(parameters)
            return try Simulation(SimulationTests.setup(), policy: FirstComeFirstServed(), named: name).run(&trace)
        }
    }

    @Test("the table has a line for each policy, all of one length")
    func table() throws {
        let lines = "\(ComparisonTable(try reports()))".split(separator: "\n")
        #expect(lines.count == 3 && Set(lines.map(\.count)).count == 1)
        #expect(lines[0].hasPrefix("policy") && lines[1].hasPrefix("fcfs"))
    }

    @Test("the page is whole, escapes names, and loads nothing")
    func page() throws {
        let html = ComparisonPage(title: "T & t", description: "<d>", reports: try reports()).html
        #expect(html.hasPrefix("<!DOCTYPE html>") && html.contains("T &amp; t") && html.contains("&lt;d&gt;"))
        #expect(html.contains("&lt;b&gt;&amp;&quot;odd&quot;") && !html.contains("<b>"))
        for word in ["http:", "https:", "<script", "<link", "@import", "url("] { #expect(!html.contains(word)) }
        for element in ["svg", "figure", "polyline", "table", "main"] {
            let opened = html.components(separated: "<\(element)")
            let closed = html.components(separated: "</\(element)>")
            #expect(opened > 0 && (element == "polyline" || opened == closed), "\(element)")
        }
        #expect(!html.contains("nan,") && !html.contains(",nan") && !html.contains("inf"))
    }

    @Test("the JSON has every figure under its name")
    func json() throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let text = String(decoding: try encoder.encode(try reports()), as: UTF8.self)
        for key in ["time_to_first_token", "p99", "recomputed", "fairness_gap", "first_token_met", "mean_use"] {
            #expect(text.contains("\"\(key)\""), "\(key)")
        }
    }

    @Test("axes have round numbers")
    func ticks() {
        #expect(AxisTicks.linear(to: 1).map(Decimal.short) == ["0", "0.2", "0.4", "0.6", "0.8", "1"])
        #expect(AxisTicks.linear(to: 337) == [0, 100, 200, 300, 400])
        #expect(AxisTicks.linear(to: 0).count >= 2)
        for value in [1e-7, 0.003, 0.7, 9.99, 10, 10.01, 12_345] {
            let ticks = AxisTicks.linear(to: value)
            #expect(ticks.count <= 7 && ticks[ticks.count - 1] >= value * 0.999999)
        }
        #expect(AxisTicks.logarithmic(within: 0.5...30).map(Decimal.short) == ["0.5", "1", "2", "5", "10", "20"])
        #expect(
            AxisTicks.logarithmic(within: 0.001...300).map(Decimal.short) == [
                "0.001", "0.01", "0.1", "1", "10", "100",
            ])
    }

    @Test("numbers are written as people read them")
    func numbers() {
        let texts = [(0, 0, "0"), (1.005, 1, "1.0"), (0.05, 1, "0.1"), (-0.04, 1, "0.0"), (12.345, 2, "12.35")]
        for (value, places, text) in texts { #expect(Decimal.text(value, places: places) == text) }
        #expect(
            [0, 0.0123, 4.56, 78.9, 123.4, 56_789, 1_234_567].map(Decimal.short) == [
                "0", "0.0123", "4.56", "78.9", "123", "57k", "1.2M",
            ])
    }
}

extension String {
    /// How often `part` occurs.
    fileprivate func components(separated part: String) -> Int { ranges(of: part).count }
}
