import ArgumentParser
import Simulation

/// Where a command's trace comes from: a file, or requests made up.
struct TraceSource: ParsableArguments {
    @Option(help: "The trace, .jsonl or .csv.", completion: .file(extensions: ["jsonl", "csv"]))
    var trace: String?
    @Option(help: "Requests made up: rate=8,count=10000,…")
    var synthetic: String?

    func validate() throws {
        guard (trace == nil) != (synthetic == nil) else {
            throw ValidationError("give either --trace FILE or --synthetic NAME=VALUE,…")
        }
    }

    /// In words.
    var description: String { trace.map { "the trace \($0)" } ?? "synthetic requests: \(synthetic ?? "")" }

    /// Runs `simulation` on the trace; `progress` hears of it, 0 to 1, and 0 throughout where the length is not known.
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

    /// All of its requests at once, at most `limit`. Throws where there are more.
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
