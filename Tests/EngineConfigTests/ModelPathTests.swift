import FoundationEssentials
import Testing

@testable import EngineConfig

/// A model in place of a configuration file.
@Suite struct ModelPathTests {
    /// Writes a file, or with `nil` a directory, of that name into a folder that is removed afterwards.
    private func load(
        _ name: String, _ content: String?, with inner: String? = nil, overrides: [String] = []
    ) throws -> (path: String, configuration: EngineConfiguration) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "quire-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: name)
        try FileManager.default.createDirectory(
            at: content == nil ? path : folder, withIntermediateDirectories: true)
        if let content { try Data(content.utf8).write(to: path) }
        if let inner { try Data("{}".utf8).write(to: path.appending(path: inner)) }
        return (path.path, try EngineConfiguration.load(path: path.path, overrides: overrides))
    }

    @Test(
        "A .gguf file by its name, or by its first bytes, is a configuration of one line",
        arguments: ["m.gguf", "blob"])
    func gguf(_ name: String) throws {
        let (path, configuration) = try load(name, "GGUF\u{3}", overrides: ["cache.block_size=32"])
        var expected = try EngineConfiguration.parse("model: {path: \(path)}", file: path)
        expected.cache.blockSize = 32
        #expect(configuration == expected)
        #expect(configuration.file == path)
        #expect(configuration.show().contains("path: \(path)  # command line\n"))
    }

    @Test("A directory with config.json likewise")
    func directory() throws {
        let (path, configuration) = try load("Llama-3.2-1B", nil, with: "config.json")
        #expect(configuration.model.path == path)
        #expect(configuration.model.name == "Llama-3.2-1B")
    }

    @Test("An override of model.path wins, and errors name what was given")
    func errors() throws {
        #expect(try load("m.gguf", "GGUF", overrides: ["model.path=/n"]).configuration.model.path == "/n")
        let (path, configuration) = try load("m.gguf", "GGUF")
        #expect(
            configuration.error(at: "scheduler.policy", message: "no").description == "\(path): scheduler.policy: no")
    }

    @Test("What is neither is refused with what is expected")
    func neither() throws {
        for (name, content, found) in [
            ("empty", nil, "found a directory without config.json"),
            ("model.safetensors", "x", "found a .safetensors file; give the directory that it is in"),
        ] {
            let error = try #require(throws: ConfigurationError.self) { try load(name, content) }
            #expect(
                error.description.hasSuffix(
                    "expected a YAML configuration, a .gguf file or the directory of a checkpoint, \(found)"))
        }
    }
}
