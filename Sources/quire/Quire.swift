import ArgumentParser

/// The command line. Results go to standard output, everything else to standard error.
///
/// Exit status: 0 on success, 64 for bad usage or configuration, 70 for what is not the user's fault.
@main
struct Quire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quire",
        abstract: "Serves large language models with paged KV cache and continuous batching.",
        version: QuireVersion.current,
        subcommands: [
            ServeCommand.self, GenerateCommand.self, BenchCommand.self, CompareCommand.self, SimulateCommand.self,
            PullCommand.self, InspectCommand.self, ModelsCommand.self, DevicesCommand.self, ConfigCommand.self,
            CompareWorkerCommand.self,
        ])
}

/// The version of `quire --version`, `/version` and the packages: the only place where it is written.
enum QuireVersion {
    static let current = "0.1.0"
}
