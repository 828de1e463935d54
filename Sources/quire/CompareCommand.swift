import ArgumentParser
import Assembly
import Backends
import CLibrary
import Comparison
import EngineConfig
import FoundationEssentials

/// `quire compare CONFIG CONFIG …`: quality, speed and memory, side by side.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Says what quantizing costs and what it buys: quality, speed, memory.",
        discussion: """
            The same text, prompts and load for every configuration, each in a process of its own. Quality is measured \
            against the first. An interrupted comparison goes on where it was when the same command is given again; \
            what has changed since is measured again.

            A text is UTF-8. Prompts are one a line, or in a .jsonl file objects with "prompt", one a line.
            """)
    @Argument(
        help: "The YAML configurations, the one of full precision first.",
        completion: .file(extensions: ["yaml", "yml"]))
    var configs: [String]
    @Option(name: .customLong("set"), help: "Override one key in all of them: --set backend.threads=2.")
    var overrides: [String] = []
    @OptionGroup(title: "What is measured") var amounts: CompareAmounts
    @Option(help: "Write every figure to this file, as JSON.", completion: .file())
    var json: String?
    @Option(help: "Write a page with charts to this file.", completion: .file(extensions: ["html"]))
    var html: String?
    @Option(help: "Write the four charts that matter most to this file.", completion: .file(extensions: ["svg"]))
    var svg: String?
    @Option(
        help: "Keep results in this folder, for later comparisons too, instead of until the end.",
        completion: .directory)
    var work: String?

    func validate() throws {
        guard !configs.isEmpty else { throw ValidationError("give at least one configuration") }
    }

    func run() throws {
        try exitingWithStatus {
            let inputs = try ComparisonInputs(textFile: amounts.text, promptsFile: amounts.prompts)
            let compared = try zip(configs, ComparedConfiguration.names(of: configs)).map { path, name in
                try load(path, named: name)
            }
            let directory = work ?? Self.defaultDirectory(configs, overrides)
            let run = ComparisonRun(
                compared, inputs, amounts.settings, circumstances: Self.circumstances, directory: directory,
                keepsResults: work != nil)
            let worker = WorkerProcess(directory: directory)
            let result = try run.run(tell: { Console.error($0) }) { configuration, part, use in
                if Console.isErrorTerminal { Console.error("\(configuration.name): \(part.name)") }
                return worker.outcome(
                    of: CompareJob(
                        part: part, config: configuration.path, overrides: overrides, inputs: inputs,
                        settings: amounts.settings, distributions: use))
            }
            try publish(
                ComparisonReport(result, date: Self.today, machine: HostMachine.processorName()))
            try run.clean(after: result)
            try Self.checkFailures(result)
        }
    }

    /// A configuration that cannot be read is reported; the others are compared.
    private func load(_ path: String, named name: String) throws -> ComparedConfiguration {
        var compared = ComparedConfiguration(name: name, path: path)
        do {
            let configuration = try ConfigurationOptions.configuration(path: path, overrides: overrides)
            compared.dependencies["the configuration"] = Digest.text(of: Self.settings(configuration))
            var model = Digest()
            for file in [configuration.model.path, configuration.model.tokenizer, configuration.model.chatTemplate] {
                model.update(file.map { Digest.text(ofModel: $0) ?? "missing" } ?? "")
            }
            compared.dependencies["the model"] = model.text
            if configuration.backend.name == "vulkan" {
                let devices = (try? DeviceReport.all()) ?? []
                compared.dependencies["the Vulkan devices"] = devices.map(\.identity).joined(separator: "; ")
            }
            for library in configuration.plugins.paths {
                compared.dependencies["the library \(library)"] = Digest.text(ofFile: library) ?? "missing"
            }
        } catch let error as ConfigurationError {
            Console.error("\(name): \(error)")
            compared.failure = .init(reason: error.description, isUserError: true)
        }
        return compared
    }

    /// What a configuration says about computing, and not where it says it.
    private static func settings(_ configuration: EngineConfiguration) -> String {
        var (lines, isRelevant) = ([Substring](), false)
        for line in configuration.show().split(separator: "\n") {
            if !line.hasPrefix(" ") { isRelevant = !["server:", "logging:", "simulation:"].contains(line) }
            if isRelevant { lines.append(line.firstRange(of: "  # ").map { line[..<$0.lowerBound] } ?? line) }
        }
        return lines.joined(separator: "\n")
    }

    private func publish(_ report: ComparisonReport) throws {
        Console.write("\(report)")
        // Each that can be written is, whatever becomes of the others.
        var errors: [any Error] = []
        func attempt(_ write: () throws -> Void) { do { try write() } catch { errors.append(error) } }
        if let json { attempt { try ResultFile(json).writeJSON(of: report) } }
        if let html { attempt { try ResultFile(html).write(report.html) } }
        if let svg { attempt { try ResultFile(svg).write(report.picture) } }
        for error in errors.dropLast() { Console.error("\(error)") }
        if let last = errors.last { throw last }
    }

    /// What failed has been reported; the exit status says so too.
    private static func checkFailures(_ result: ComparisonMeasurements) throws {
        let failures = result.entries.compactMap(\.failure)
        guard !failures.isEmpty else { return }
        throw ExitCode(failures.allSatisfy(\.isUserError) ? 64 : 70)
    }

    /// What results depend on beside configurations and models.
    private static var circumstances: [String: String] {
        [
            "quire": Digest.text(ofFile: WorkerProcess.executable) ?? QuireVersion.current,
            "the machine": "\(HostMachine.processorName()), \(HostMachine.processorCount()) processors",
        ]
    }

    /// A folder in the user's cache that the same command finds again.
    private static func defaultDirectory(_ configs: [String], _ overrides: [String]) -> String {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        let base = variable("XDG_CACHE_HOME") ?? variable("HOME").map { $0 + "/.cache" } ?? "/tmp"
        let here = FileManager.default.currentDirectoryPath
        let command = ([here] + configs + overrides).joined(separator: "\n")
        return base + "/quire/compare/" + Digest.text(of: command).prefix(16)
    }

    private static var today: String {
        Date(timeIntervalSince1970: TimeInterval(UnixTime.now)).formatted(.iso8601.year().month().day())
    }
}
