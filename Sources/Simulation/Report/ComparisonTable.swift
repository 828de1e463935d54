import Reports

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
