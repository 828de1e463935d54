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

    @Test("the table has a row for each policy, all of one length")
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
}

extension String {
    /// How often `part` occurs.
    fileprivate func components(separated part: String) -> Int { ranges(of: part).count }
}
