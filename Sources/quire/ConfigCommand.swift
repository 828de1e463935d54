import ArgumentParser
import Assembly
import EngineConfig

/// `quire config check|show|schema`.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Checks and explains configurations.",
        subcommands: [Check.self, Show.self, Schema.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks a configuration and prints what is wrong with it.")
        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let configuration = try options.load()
            // A plugin's policy checks its options when it is made.
            try exitingWithStatus {
                _ = try PluginCatalog.builtin(and: configuration).policy(
                    named: configuration.scheduler.policy, configuration)
            }
            Console.write("\(options.config): valid\n")
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the configuration in force, with defaults and where each value comes from.")
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Load the model and print its plan, one operation a line, instead.")
        var plan = false

        func run() throws {
            let configuration = try options.load()
            guard plan else { return Console.write(configuration.show()) }
            try exitingWithStatus {
                Console.write("\(try PluginCatalog.builtin(and: configuration).plan(of: configuration))")
            }
        }
    }

    struct Schema: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints every key with its default and meaning.")
        @Flag(help: "As tables in Markdown instead of YAML.")
        var markdown = false

        func run() {
            Console.write(markdown ? EngineConfiguration.markdownReference() : EngineConfiguration.schema())
        }
    }
}
