import ArgumentParser
import Assembly
import EngineConfig

/// `quire config check|show|schema`.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Checks and explains configurations.",
        subcommands: [Check.self, Show.self, Schema.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Says what is wrong with a configuration.")
        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let configuration = try options.load()
            // Only a policy from outside knows whether it can do with its options.
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

        func run() {
            Console.write(EngineConfiguration.schema())
        }
    }
}
