import ArgumentParser
import Assembly
import EngineConfig
import Scheduling
import Simulation

/// `quire simulate CONFIG --trace FILE`: policies on a trace, without a model.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Runs a trace through the real scheduler on a virtual clock, without a model.",
        discussion: """
            Traces are JSON lines or CSV with columns for arrival (seconds or a date), prompt and output tokens, and \
            optionally tenant, priority, prefix id, prefix tokens and deadline_ms; BurstGPT's and Azure's files can be \
            read directly. Without a trace, --synthetic generates requests: NAME=VALUE pairs, separated by commas, of \
            \(SyntheticParameters.names.joined(separator: ", ")).
            """)
    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var source: TraceSource
    @Option(help: "Policies to compare, separated by commas; the configuration's alone without it.")
    var policies: String?
    @Option(
        help: "A step cost that quire bench steps --json wrote; replaces the section simulation.",
        completion: .file(extensions: ["json"]))
    var stepCost: String?
    @Option(help: "Write every figure to this file, as JSON.", completion: .file())
    var json: String?
    @Option(help: "Write a page with charts to this file.", completion: .file(extensions: ["html"]))
    var html: String?

    func run() throws {
        let given = policies.map { $0.split(separator: ",").map { String($0) } }
        // The report compares the service of tenants under every policy, by the weights of fair.
        let configuration = try options.load { (given ?? [$0]) + ["fair"] }
        try exitingWithStatus {
            var setup = try SimulationSetup(configuration)
            if let stepCost { setup.cost = try StepCost(path: stepCost) }
            let catalog = try PluginCatalog.builtin(and: configuration)
            let names = given ?? [configuration.scheduler.policy]
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
        return try source.run(simulation) { bar.show(name, $0) }
    }

    private func publish(_ reports: [PolicyReport]) throws {
        Console.write("\(ComparisonTable(reports))\n")
        for report in reports where report.policyFailureCount > 0 {
            let last = report.lastPolicyFailure ?? ""
            Console.error(
                "\(report.policy): \(report.policyFailureCount) decisions failed, and fcfs decided instead: \(last)")
        }
        if let json { try ResultFile(json).writeJSON(of: reports) }
        if let html {
            let page = ComparisonPage(
                title: "Scheduling policies compared",
                description: "\(options.config) on \(source.description). Times are simulated.", reports: reports)
            try ResultFile(html).write(page.html)
        }
    }
}
