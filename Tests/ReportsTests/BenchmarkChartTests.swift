import CLibrary
import FoundationEssentials
import Testing

@testable import Reports

/// The pictures of `Tests/Benchmarks` are drawn from the tables beside them. `QUIRE_DRAW=1 swift test --filter
/// BenchmarkChartTests` draws them anew after a table has changed.
@Suite struct BenchmarkChartTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Benchmarks")

    /// Columns 1 and on of the first row of `page` that begins with `name`, as numbers without separators and units.
    private func row(_ name: String, of page: String) throws -> [Double] {
        let text = try String(contentsOf: Self.folder.appending(path: page), encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("| \(name) |") }, "\(page): \(name)")
        return line.split(separator: "|").dropFirst().map { cell in
            Double(cell.filter { $0.isNumber || $0 == "." }) ?? .nan
        }
    }

    private func chart(_ title: String, unit: String, series: [String], _ groups: [(String, [Double])]) -> BarChart {
        BarChart(
            title: title, series: series,
            groups: groups.map { name, values in
                BarChart.Group(
                    name: name,
                    bars: values.map { BarChart.Bar($0, label: "\(Numeral.short($0))\(unit)") })
            })
    }

    private func check(_ sheet: ChartSheet, _ name: String) throws {
        for appearance in [ChartSheet.Appearance.light, .dark] {
            let file = Self.folder.appending(path: "\(name)-\(appearance.rawValue).svg")
            if getenv("QUIRE_DRAW") != nil { try Data(sheet.svg(appearance).utf8).write(to: file) }
            let drawn = try String(contentsOf: file, encoding: .utf8)
            #expect(drawn == sheet.svg(appearance), "\(file.lastPathComponent) differs from its table")
        }
    }

    @Test("llama.cpp-*.svg shows cpu.md")
    func besideLlamaCPP() throws {
        func pairs(_ row: [Double]) -> [(String, [Double])] {
            [("bf16", [row[0], row[1]]), ("4 bits", [row[3], row[4]])]
        }
        let series = ["Quire", "llama.cpp"]
        try check(
            ChartSheet(
                title: "SmolLM2-135M on two CPU threads",
                charts: [
                    chart(
                        "16 requests at once, output tokens/s", unit: "", series: series,
                        pairs(try row("16 at once, output tokens/s", of: "cpu.md"))),
                    chart(
                        "One request, decode, tokens/s", unit: "", series: series,
                        pairs(try row("one stream, decode, tokens/s", of: "cpu.md"))),
                    chart(
                        "One request, prefill, tokens/s", unit: "", series: series,
                        pairs(try row("one stream, prefill, tokens/s", of: "cpu.md"))),
                ]), "llama.cpp")
    }

    @Test("policies-*.svg shows scheduling.md")
    func policies() throws {
        let groups = try [
            ("to the first token", "13 requests/s: to the first token, s"),
            ("to the last", "13 requests/s: mean latency, s"),
        ].map { name, row in (name, try self.row(row, of: "scheduling.md")) }
        try check(
            ChartSheet(
                title: "Policies at 13 requests/s, simulated",
                charts: [chart("Mean time, s", unit: " s", series: ["fcfs", "sjf", "mlfq"], groups)]), "policies")
    }
}
