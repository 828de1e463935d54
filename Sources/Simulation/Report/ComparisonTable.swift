/// Several policies side by side, for a terminal: one line each, times in seconds.
public struct ComparisonTable: CustomStringConvertible {
    let rows: [[String]]

    /// A table of `reports`.
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
            Self.seconds(whole.p99), Decimal.text(report.outputTokensPerSecond, places: 0),
            "\(report.preemptionCount)", "\(report.tokens.recomputed)", "\(report.tokens.swapped)",
            percent(report.cache.meanUse),
            percent(report.cache.waste), Decimal.text(report.fairnessGap, places: 0),
            deadlines.count == 0 ? "-" : percent(Double(deadlines.firstTokenMet) / Double(deadlines.count)),
        ]
    }

    private static func seconds(_ value: Double) -> String { Decimal.text(value, places: value < 1 ? 4 : 2) }
    private static func percent(_ share: Double) -> String { Decimal.text(share * 100, places: 1) + "%" }

    /// Columns aligned, the first to the left and the others to the right.
    public var description: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + padding : padding + row[column]
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
