@testable import EngineConfig

/// The smallest text that is a whole configuration.
let minimal = "model: {path: m}\n"

/// What a text says, line by line, of what is wrong with it; empty when it is a configuration.
func complaints(about text: String, overrides: [String] = []) -> [String] {
    complaints(about: Array(text.utf8), overrides: overrides)
}

/// The same for bytes.
func complaints(about bytes: [UInt8], overrides: [String] = []) -> [String] {
    do throws(ConfigurationError) {
        _ = try EngineConfiguration.parse(
            bytes: bytes, file: "c.yaml", overrides: overrides, homeDirectory: "/ada")
        return []
    } catch {
        return error.issues.map(\.description)
    }
}
