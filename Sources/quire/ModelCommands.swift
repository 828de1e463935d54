import ArgumentParser
import Assembly

/// `quire models`: the families that Quire serves.
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "Lists the model families that Quire serves, by their names in checkpoints.")
    @Flag(help: "As a table in Markdown.")
    var markdown = false

    func run() { Console.write(markdown ? FamilyTable.markdown : FamilyTable.text) }
}

/// `quire inspect`: what a checkpoint is and what serving it needs.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract:
            "Shows what a checkpoint or a LoRA adapter is, what serving it needs, and what of it is not supported.")
    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        if let adapter = try exitingWithStatus({ try AdapterReport(path: options.config) }) {
            Console.write("\(adapter)")
            return
        }
        let configuration = try options.load()
        try exitingWithStatus {
            Console.write("\(try ModelReport(configuration, catalog: .builtin(and: configuration)))")
        }
    }
}
