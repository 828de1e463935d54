import Assembly
import Benchmarking
import Reports

/// Figures of several configurations, each measured several times.
struct BenchReport: Encodable {
    private struct Entry: Encodable {
        let config: String
        var memory: Memory?
        var rounds: [EngineFigures] = []
    }

    /// What an engine allocated on its device.
    private struct Memory: Encodable {
        let device: String
        let weightsBytes, scratchBytes, cacheBytes, cacheTokens: Int

        init(_ memory: DeviceMemory) {
            device = memory.deviceName
            weightsBytes = memory.weightsByteCount
            scratchBytes = memory.scratchByteCount
            cacheBytes = memory.cacheByteCount
            cacheTokens = memory.cacheTokenCount
        }
    }

    private var entries: [Entry]

    init(configs: [String]) {
        entries = configs.map { Entry(config: $0) }
    }

    mutating func append(_ figures: EngineFigures, _ memory: DeviceMemory, to index: Int) {
        entries[index].memory = Memory(memory)
        entries[index].rounds.append(figures)
    }

    func encode(to encoder: any Encoder) throws { try entries.encode(to: encoder) }

    /// One row for each figure, one column for each configuration, medians over the rounds; then memory.
    var table: String {
        var rows = [[""] + entries.map(\.config)]
        func row(_ name: String, digits: Int = 1, _ value: (EngineFigures) -> Double) {
            rows.append(
                [name] + entries.map { Self.format(Percentiles($0.rounds.map(value)).median, digits: digits) })
        }
        row("prefill, tokens/s") { $0.prefillTokensPerSecond }
        row("decode, tokens/s") { $0.decodeTokensPerSecond }
        for (index, load) in (entries.first?.rounds.first?.loads ?? []).enumerated() {
            func measure(_ name: String, digits: Int = 1, _ value: @escaping (LoadMeasurement) -> Double) {
                row("\(load.concurrency) at once: \(name)", digits: digits) { value($0.loads[index].measurement) }
            }
            measure("output tokens/s") { $0.outputTokensPerSecond }
            measure("time to first token, median, ms") { $0.secondsToFirstToken.median * 1000 }
            measure("time to first token, p99, ms") { $0.secondsToFirstToken.p99 * 1000 }
            measure("inter-token latency, median, ms", digits: 2) { $0.secondsBetweenTokens.median * 1000 }
            measure("inter-token latency, p99, ms", digits: 2) { $0.secondsBetweenTokens.p99 * 1000 }
            measure("end-to-end latency, mean, s", digits: 2) { $0.secondsToLastToken.mean }
        }
        func memory(_ name: String, _ value: (Memory) -> String) {
            rows.append([name] + entries.map { $0.memory.map(value) ?? "" })
        }
        memory("weights, MB") { Self.format(Double($0.weightsBytes) / 1e6, digits: 1) }
        memory("scratch, MB") { Self.format(Double($0.scratchBytes) / 1e6, digits: 1) }
        memory("KV cache, MB") { Self.format(Double($0.cacheBytes) / 1e6, digits: 1) }
        memory("KV cache, tokens") { "\($0.cacheTokens)" }
        return TextTable(rows).text
    }

    private static func format(_ value: Double, digits: Int) -> String {
        let scale = digits == 1 ? 10.0 : 100.0
        let rounded = (value * scale).rounded() / scale
        let text = "\(rounded)"
        return digits == 2 && text.split(separator: ".").last?.count == 1 ? text + "0" : text
    }
}
