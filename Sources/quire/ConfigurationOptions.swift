import ArgumentParser
import Assembly
import CLibrary
import ChatTemplates
import Comparison
import EngineConfig
import InferenceEngine
import Logging
import ModelHub
import Plugins
import Simulation
import Tokenization

/// The configuration file, or a model in its place, and what the command line changes in it.
struct ConfigurationOptions: ParsableArguments {
    static let help: ArgumentHelp =
        "A YAML configuration, a .gguf file, a checkpoint's directory, or a pulled model's name."
    static let completion = CompletionKind.file(extensions: ["yaml", "yml", "gguf"])

    @Argument(help: help, completion: completion)
    var config: String

    @Option(name: .customLong("set"), help: "Override one key: --set cache.block_size=32. May be repeated.")
    var overrides: [String] = []

    /// Reads and checks the configuration, with the names of plugins. Warns of former names, and of parameters that none
    /// of the policies reads that `policies` returns for the configured one.
    func load(policies: (_ configured: String) -> [String] = { [$0] }) throws -> EngineConfiguration {
        try Self.load(path: config, overrides: overrides, policies: policies)
    }

    /// The same for the configuration at `path`.
    static func load(
        path: String, overrides: [String], policies: (_ configured: String) -> [String] = { [$0] }
    ) throws -> EngineConfiguration {
        let configuration = try exitingWithStatus { try Self.configuration(path: path, overrides: overrides) }
        let logger = Logger(configuration.logging)
        for issue in configuration.warnings { logger.warning("\(issue)") }
        for issue in configuration.unreadPolicyOptions(by: policies(configuration.scheduler.policy)) {
            logger.warning("\(issue)")
        }
        return configuration
    }

    /// The same without warnings, for callers that report errors themselves.
    static func configuration(path: String, overrides: [String]) throws -> EngineConfiguration {
        let home = getenv("HOME").map { String(cString: $0) }
        let configuration = try EngineConfiguration.load(
            path: path, overrides: overrides, homeDirectory: home,
            modelCache: HubEnvironment.cache)
        try PluginCatalog.builtin(and: configuration).check(configuration)
        return configuration
    }
}

/// Runs `body`; an error becomes one line on standard error and the exit status that fits it.
func exitingWithStatus<Result>(_ body: () async throws -> Result) async throws -> Result {
    do { return try await body() } catch { throw exitCode(for: error) }
}

/// Runs `body`; an error becomes one line on standard error and the exit status that fits it.
func exitingWithStatus<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch { throw exitCode(for: error) }
}

private func exitCode(for error: any Error) -> any Error {
    switch error {
    case is ExitCode, is CleanExit, is ValidationError: return error
    default:
        Console.error("\(error)")
        return ExitCode(isUserError(error) ? 64 : 70)
    }
}

/// Whether the command line, a configuration or a file of the user is wrong, and not the machine.
func isUserError(_ error: any Error) -> Bool {
    switch error {
    case is ConfigurationError, is SimulationError, is RegistryError, is ResultFileError, is TemplateError: true
    case let error as EngineError: error.isUserError
    case let error as AssemblyError: error.isUserError
    case let error as ComparisonError: error.isUserError
    case let error as HubError: error.isUserError
    default: false
    }
}
