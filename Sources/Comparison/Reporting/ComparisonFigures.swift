import Reports

/// The lines of the table, for a terminal and for a page.
struct ComparisonFigures {
    /// A part of the table.
    struct Section {
        let title: String
        var rows: [[String]] = []
    }

    let report: ComparisonReport
    private(set) var sections: [Section] = []

    init(_ report: ComparisonReport) {
        self.report = report
        quality()
        speed()
        memory()
    }

    private mutating func row(_ name: String, _ value: (ComparisonReport.Configuration) -> String?) {
        let cells = report.configurations.map { value($0) ?? "-" }
        guard cells.contains(where: { $0 != "-" }) else { return }
        sections[sections.count - 1].rows.append([name] + cells)
    }

    private mutating func quality() {
        let counts = report.configurations.compactMap(\.quality?.predictedTokens)
        sections.append(
            Section(
                title: "Quality: \(Self.grouped(counts.first ?? 0)) tokens predicted in windows of "
                    + "\(report.setup.windowTokens), \(report.setup.text)"))
        row("perplexity") { $0.quality.map { Self.text($0.perplexity, places: 2) } }
        row("  as a multiple of the reference's") {
            $0.quality?.against?.perplexityRatio.map { Self.text($0, places: 3) }
        }
        row("KL divergence, mean, nats") { $0.quality?.against?.divergence.map { Self.text($0, places: 4) } }
        row("KL divergence, p99, nats") {
            $0.quality?.against?.divergenceP99.map { Numeral.fixed($0, places: 3) }
        }
        row("same most likely token, %") { configuration in
            configuration.quality?.against?.sameTopToken.map { share in
                Self.text(Estimate(value: share.value * 100, standardError: share.standardError * 100), places: 1)
            }
        }
        row("identical continuation, tokens of \(report.setup.continuationTokens)") {
            $0.quality?.against?.identicalTokens.map { Self.text($0, places: 1) }
        }
        row("identical to the end, prompts") { configuration in
            configuration.quality?.against.flatMap { against in
                against.identicalContinuations.map { "\($0) of \(against.continuations ?? 0)" }
            }
        }
    }

    private mutating func speed() {
        let setup = report.setup
        sections.append(
            Section(
                title: "Speed: \(setup.loadPromptTokens) tokens in, \(setup.loadOutputTokens) out"
                    + (setup.rounds > 1 ? ", medians of \(setup.rounds) rounds" : "")))
        let concurrencies = report.configurations.lazy.map { $0.speed.map(\.concurrency) }.first { !$0.isEmpty } ?? []
        for (index, concurrency) in concurrencies.enumerated() {
            func measure(_ name: String, places: Int, _ value: (SpeedReport) -> Double) {
                row("\(concurrency) at once: \(name)") {
                    $0.speed.indices.contains(index) ? Numeral.fixed(value($0.speed[index]), places: places) : nil
                }
            }
            measure("prefill, tokens/s", places: 0) { $0.prefillTokensPerSecond }
            measure("decode, tokens/s", places: 1) { $0.decodeTokensPerSecond }
            measure("time to first token, median, ms", places: 1) { $0.timeToFirstTokenMedian * 1000 }
            measure("time to first token, p99, ms", places: 1) { $0.timeToFirstTokenP99 * 1000 }
            measure("inter-token latency, median, ms", places: 1) { $0.interTokenLatencyMedian * 1000 }
            measure("inter-token latency, p99, ms", places: 1) { $0.interTokenLatencyP99 * 1000 }
        }
    }

    private mutating func memory() {
        let memory = report.configurations.lazy.compactMap(\.memory).first
        sections.append(
            Section(title: "Memory: capacities for a budget of \(Self.bytes(memory?.budgetBytes ?? 0)) in all"))
        row("weights") { $0.memory.map { Self.bytes($0.weightsBytes) } }
        row("cache for a token") { $0.memory.map { Self.bytes($0.cacheBytesPerToken) } }
        row("cache capacity, tokens") { $0.memory.map { Self.grouped($0.cacheCapacityTokens) } }
        let tokens = report.setup.loadPromptTokens + report.setup.loadOutputTokens
        row("requests of \(tokens) tokens that fit") { $0.memory.map { Self.grouped($0.requestsThatFit) } }
        row("reserved on the device at start-up") { $0.memory.map { Self.bytes($0.deviceBytes) } }
        row("peak resident in the process") {
            $0.memory.flatMap { $0.peakResidentBytes > 0 ? Self.bytes($0.peakResidentBytes) : nil }
        }
    }

    static func text(_ estimate: Estimate, places: Int) -> String {
        "\(Numeral.fixed(estimate.value, places: places)) ± \(Numeral.fixed(estimate.standardError, places: places))"
    }

    static func bytes(_ count: Int) -> String {
        for (unit, size) in [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] where Double(count) >= size {
            let value = Double(count) / size
            return Numeral.fixed(value, places: value >= 100 ? 0 : value >= 10 ? 1 : 2) + " " + unit
        }
        return "\(count) B"
    }

    static func grouped(_ number: Int) -> String {
        var (digits, text) = (Array("\(abs(number))"), "")
        while digits.count > 3 {
            text = "," + String(digits.suffix(3)) + text
            digits.removeLast(3)
        }
        return (number < 0 ? "-" : "") + String(digits) + text
    }
}
