import FoundationEssentials
import ModelHub
import Testing

@testable import EngineConfig

/// The name of a model in the cache in place of a path. The folder is removed at the end.
final class PulledModelTests {
    private let folder: URL
    private let cache: HubCache
    private let snapshot: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "quire-\(UUID().uuidString)")
        cache = HubCache(directory: folder.path + "/hub")
        snapshot = "\(folder.path)/hub/models--org--name/snapshots/0123456789abcdef0123456789abcdef01234567"
        try write("0123456789abcdef0123456789abcdef01234567", to: "hub/models--org--name/refs/main")
        for name in ["config.json", "model.safetensors"] {
            try write("{}", to: "hub/models--org--name/snapshots/0123456789abcdef0123456789abcdef01234567/\(name)")
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func write(_ text: String, to path: String) throws {
        let file = folder.appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    private func loaded(_ path: String, overrides: [String] = []) throws -> EngineConfiguration {
        try EngineConfiguration.load(path: path, overrides: overrides, modelCache: cache)
    }

    @Test("a pulled model's name is a configuration of one line, and the model keeps its name")
    func argument() throws {
        let configuration = try loaded("org/name")
        #expect(configuration.model.path == snapshot)
        #expect(configuration.model.name == "name")
        #expect(try loaded("org/name:main").model.path == snapshot)
    }

    @Test("model.path may be such a name, in a file and in an override")
    func key() throws {
        try write("model: {path: org/name}", to: "c.yaml")
        let file = folder.appending(path: "c.yaml").path
        #expect(try loaded(file).model.path == snapshot)
        #expect(try loaded(file, overrides: ["model.path=org/name:main"]).model.path == snapshot)
        #expect(try loaded(file).missingModel == nil)
        // A path that exists comes first.
        try write("{}", to: "org/name/config.json")
        #expect(try loaded(file).model.path == "\(folder.path)/org/name")
    }

    @Test("a model that is not in the cache is named with the command that fetches it")
    func missing() throws {
        let error = try #require(throws: ConfigurationError.self) { try loaded("org/other:v1") }
        #expect(error.description.contains("`quire pull org/other:v1`"))
        try write("model: {path: org/other}", to: "c.yaml")
        let file = folder.appending(path: "c.yaml").path
        #expect(try loaded(file).missingModel == ModelReference("org/other"))
        // Neither a mistyped file nor a longer path is taken for one.
        for other in ["org/other.yaml", "a/b/c", "other"] {
            let error = try #require(throws: ConfigurationError.self) { try loaded(other) }
            #expect(error.description == "\(other): no such file")
        }
    }

    @Test("several models of one name are listed")
    func several() throws {
        for name in ["a.gguf", "b.gguf"] {
            try write("", to: "hub/models--org--name/snapshots/0123456789abcdef0123456789abcdef01234567/\(name)")
        }
        try FileManager.default.removeItem(atPath: snapshot + "/config.json")
        let error = try #require(throws: ConfigurationError.self) { try loaded("org/name") }
        #expect(error.description.contains(snapshot + "/b.gguf"))
        try write("model: {path: org/name}", to: "c.yaml")
        let inFile = try #require(throws: ConfigurationError.self) {
            try loaded(folder.appending(path: "c.yaml").path)
        }
        #expect(inFile.description.contains(snapshot + "/b.gguf"))
    }
}
