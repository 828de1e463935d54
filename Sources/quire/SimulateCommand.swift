import ArgumentParser
import Assembly
import EngineConfig
import Scheduling
import Simulation

/// `quire simulate CONFIG --trace FILE`: what policies make of a trace, without a model.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Runs a trace through the real scheduler on a virtual clock, without a model.",
        discussion: """
            Traces are JSON lines or CSV with columns for arrival (seconds or a date), prompt and output tokens, and \
            optionally tenant, priority, prefix id, prefix tokens and deadline_ms; BurstGPT's and Azure's files can be \
            read as they are. Without one, --synthetic makes requests up: NAME=VALUE pairs, separated by commas, of \
            \(SyntheticParameters.names.joined(separator: ", ")).
            """)
    @OptionGroup var options: ConfigurationOptions
    @Option(help: "The trace, .jsonl or .csv.", completion: .file(extensions: ["jsonl", "csv"]))
    var trace: String?
    @Option(help: "Requests made up: rate=8,count=10000,…")
    var synthetic: String?
    @Option(help: "Policies to compare, separated by commas; the configuration's alone without it.")
    var policies: String?
    @Option(help: "Write everything that was measured to a file, as JSON.", completion: .file())
    var json: String?
    @Option(help: "Write a page with charts to a file.", completion: .file(extensions: ["html"]))
    var html: String?

    func validate() throws {
        guard (trace == nil) != (synthetic == nil) else {
            throw ValidationError("give either --trace FILE or --synthetic NAME=VALUE,…")
        }
    }

    func run() throws {
        let configuration = try options.load()
        try exitingWithStatus {
            let setup = try SimulationSetup(configuration)
            let catalog = try PluginCatalog.builtin(and: configuration)
            let names = policies.map { $0.split(separator: ",").map { String($0) } } ?? [configuration.scheduler.policy]
            let bar = ProgressBar()
            var reports: [PolicyReport] = []
            for name in names {
                let policy = try catalog.policy(named: name, configuration)
                reports.append(try report(setup, policy, name, bar))
            }
            bar.show("", 1)
            try publish(reports)
        }
    }

    private func report(
        _ setup: SimulationSetup, _ policy: any SchedulerPolicy, _ name: String, _ bar: ProgressBar
    ) throws -> PolicyReport {
        let simulation = Simulation(setup, policy: policy, named: name)
        if let trace {
            var file = try TraceFile(path: trace)
            return try simulation.run(&file) { bar.show("\(name): \($0) requests", 0) }
        }
        let parameters = try SyntheticParameters(synthetic ?? "")
        var requests = SyntheticTrace(parameters)
        return try simulation.run(&requests) { bar.show(name, Double($0) / Double(parameters.count + 1)) }
    }

    private func publish(_ reports: [PolicyReport]) throws {
        Console.write("\(ComparisonTable(reports))\n")
        for report in reports where report.policyFailureCount > 0 {
            let last = report.lastPolicyFailure ?? ""
            Console.error(
                "\(report.policy): \(report.policyFailureCount) decisions failed and were left to fcfs: \(last)")
        }
        if let json { try ResultFile(json).writeJSON(of: reports) }
        if let html {
            let source = trace.map { "the trace \($0)" } ?? "synthetic requests: \(synthetic ?? "")"
            let page = ComparisonPage(
                title: "Scheduling policies compared",
                description: "\(options.config) on \(source). Times are simulated.", reports: reports)
            try ResultFile(html).write(page.html)
        }
    }
}
