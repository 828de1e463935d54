import ArgumentParser
import Simulation

/// Where a command's trace comes from: a file, or synthetic requests.
struct TraceSource: ParsableArguments {
    @Option(help: "The trace, .jsonl or .csv.", completion: .file(extensions: ["jsonl", "csv"]))
    var trace: String?
    @Option(help: "Synthetic requests: rate=8,count=10000,…")
    var synthetic: String?

    func validate() throws {
        guard (trace == nil) != (synthetic == nil) else {
            throw ValidationError("give either --trace FILE or --synthetic NAME=VALUE,…")
        }
    }

    var description: String { trace.map { "the trace \($0)" } ?? "synthetic requests: \(synthetic ?? "")" }

    /// Runs `simulation` on the trace. `progress` is called with the fraction that is done, 0 to 1; it stays 0 where the
    /// length is not known.
    func run(
        _ simulation: consuming Simulation, progress: (Double) -> Void
    ) throws(SimulationError) -> PolicyReport {
        if let trace {
            var file = try TraceFile(path: trace)
            return try simulation.run(&file) { _ in progress(0) }
        }
        let parameters = try SyntheticParameters(synthetic ?? "")
        var requests = SyntheticTrace(parameters)
        return try simulation.run(&requests) { progress(Double($0) / Double(parameters.count + 1)) }
    }

    /// All of its requests. Throws where there are more than `limit`.
    func requests(limit: Int) throws(SimulationError) -> [TraceRequest] {
        var requests: [TraceRequest] = []
        func take(_ request: TraceRequest?) throws(SimulationError) -> Bool {
            guard let request else { return false }
            guard requests.count < limit else {
                throw .badParameter(name: "count", expected: "at most \(limit) requests", found: "more")
            }
            requests.append(request)
            return true
        }
        if let trace {
            var file = try TraceFile(path: trace)
            while try take(try file.next()) {}
        } else {
            var made = SyntheticTrace(try SyntheticParameters(synthetic ?? ""))
            while try take(made.next()) {}
        }
        return requests
    }
}
