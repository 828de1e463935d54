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
        commandName: "compare", abstract: "Measures what quantization costs and gains: quality, speed, memory.",
        discussion: """
            Every configuration gets the same text, prompts and load, in a process of its own. The first is the \
            reference for quality. The same command continues an interrupted comparison; what has changed since is \
            measured again.

            A text is UTF-8. A file of prompts has one a line; a .jsonl file has an object with "prompt" on each line.
            """)
    @Argument(
        help:
            "YAML configurations, .gguf files, checkpoints' directories or pulled models' names; full precision first.",
        completion: ConfigurationOptions.completion)
    var configs: [String]
    @Option(name: .customLong("set"), help: "Override one key in all of them: --set backend.threads=2.")
    var overrides: [String] = []
    @OptionGroup(title: "What is measured") var amounts: CompareAmounts
    @Option(help: "Write every figure to this file, as JSON.", completion: .file())
    var json: String?
    @Option(help: "Write a page with charts to this file.", completion: .file(extensions: ["html"]))
    var html: String?
    @Option(help: "Write the four main charts to this file.", completion: .file(extensions: ["svg"]))
    var svg: String?
    @Option(
        help: "Keep all results in this folder, for later comparisons; without it they are removed at the end.",
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
            let result = try run.run(onMessage: { Console.error($0) }) { configuration, part, use in
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

    /// A configuration that cannot be read is reported, and the others are compared.
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
            for (name, path) in configuration.lora.adapters {
                compared.dependencies["the adapter \(name)"] = Digest.text(ofModel: path) ?? "missing"
            }
            if ["auto", "vulkan"].contains(configuration.backend.name) {
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

    /// The settings that affect results, without their positions in the file.
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
        // One file that cannot be written does not keep the others from being written.
        var errors: [any Error] = []
        func attempt(_ write: () throws -> Void) { do { try write() } catch { errors.append(error) } }
        if let json { attempt { try ResultFile(json).writeJSON(of: report) } }
        if let html { attempt { try ResultFile(html).write(report.html) } }
        if let svg { attempt { try ResultFile(svg).write(report.picture) } }
        for error in errors.dropLast() { Console.error("\(error)") }
        if let last = errors.last { throw last }
    }

    /// Failures have been reported; they also set the exit status.
    private static func checkFailures(_ result: ComparisonMeasurements) throws {
        let failures = result.entries.compactMap(\.failure)
        guard !failures.isEmpty else { return }
        throw ExitCode(failures.allSatisfy(\.isUserError) ? 64 : 70)
    }

    /// What results depend on, besides configurations and models.
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
