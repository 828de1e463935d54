import Testing
import Weights

@testable import EngineConfig

@Suite struct ValueTests {
    @Test("The smallest file gives the documented defaults")
    func defaults() throws {
        let configuration = try EngineConfiguration.parse("model:\n  path: /models/SmolLM2.gguf\n", file: "c.yaml")
        #expect(configuration.model.path == "/models/SmolLM2.gguf")
        #expect(configuration.model.name == "SmolLM2")
        #expect(configuration.model.dtype == .auto)
        #expect(configuration.backend == BackendSection())
        #expect(configuration.backend.name == "auto")
        #expect(configuration.cache.blockSize == 16)
        #expect(configuration.cache.memoryUtilization == nil)
        #expect(configuration.scheduler.maxNumBatchedTokens == 2048)
        #expect(configuration.server.host == "127.0.0.1")
        #expect(configuration.server.port == 8000)
        #expect(configuration.server.maxBody == 8_388_608)
        #expect(configuration.logging.level == .info)
    }

    @Test(
        "A model's name is the last part of its path",
        arguments: [
            ("/a/b", "b"), ("/a/b/", "b"), ("m.gguf", "m"), (".gguf", ".gguf"), ("/a/Llama-3.2-1B", "Llama-3.2-1B"),
        ])
    func modelName(_ path: String, _ name: String) throws {
        let configuration = try EngineConfiguration.parse(minimal, file: "c.yaml", overrides: ["model.path=\(path)"])
        #expect(configuration.model.name == name)
    }

    @Test(
        "A size is a number of bytes or has a binary unit",
        arguments: [
            ("4GiB", 4 << 30), ("512MiB", 512 << 20), ("1.5 KiB", 1536), ("4096", 4096), ("\"1TiB\"", 1 << 40),
            ("7777B", 7777),
        ])
    func size(_ text: String, _ byteCount: Int) throws {
        let configuration = try EngineConfiguration.parse(minimal, file: "c.yaml", overrides: ["cache.memory=\(text)"])
        #expect(configuration.cache.memory == byteCount)
    }

    @Test(
        "What is no size, or no whole number of bytes, is refused",
        arguments: [
            "4GB", "GiB", "4096.5B", "4.0001KiB", "512", "1e3", "9223372036854775808", "9007199254740992TiB", "4 G i B",
            "0",
        ])
    func noSize(_ text: String) {
        #expect(complaints(about: minimal, overrides: ["cache.memory=\(text)"]).count == 1)
    }

    @Test(
        "A duration is in seconds or has a unit",
        arguments: [("30", 30), ("1.5", 1.5), ("500ms", 0.5), ("2m", 120), ("0", 0), ("45s", 45), ("1.5h", 5400)])
    func duration(_ text: String, _ seconds: Double) throws {
        let overrides = ["server.drain_seconds=\(text)"]
        let configuration = try EngineConfiguration.parse(minimal, file: "c.yaml", overrides: overrides)
        #expect(configuration.server.drainSeconds == seconds)
    }

    @Test("What is no duration is refused", arguments: ["-1", "inf", "1e99", "ms", "1 fortnight", "true", "0x10"])
    func noDuration(_ text: String) {
        #expect(complaints(about: minimal, overrides: ["server.drain_seconds=\(text)"]).count == 1)
    }

    @Test("Every power of two to 256 is a block size, and nothing else is")
    func blockSizes() throws {
        for size in -2...600 {
            let isGood = [1, 2, 4, 8, 16, 32, 64, 128, 256].contains(size)
            #expect(complaints(about: minimal, overrides: ["cache.block_size=\(size)"]).isEmpty == isGood)
        }
    }

    @Test(
        "Paths in a file start at its folder, ~ at the home directory",
        arguments: [
            ("c.yaml", "m", "m"), ("c.yaml", "./m", "./m"), ("a/c.yaml", "m", "a/m"), ("a/c.yaml", "./m", "a/m"),
            ("/a/c.yaml", "../m", "/a/../m"), ("a/c.yaml", "/m", "/m"), ("a/c.yaml", "~/m", "/ada/m"),
            ("a/c.yaml", "~", "/ada"), ("a/c.yaml", "~bob/m", "a/~bob/m"),
        ])
    func paths(_ file: String, _ written: String, _ meant: String) throws {
        let configuration = try EngineConfiguration.parse(
            "model: {path: \"\(written)\"}\n", file: file, homeDirectory: "/ada")
        #expect(configuration.model.path == meant)
    }

    @Test("A path in an override starts at the current directory")
    func overriddenPath() throws {
        let configuration = try EngineConfiguration.parse(minimal, file: "a/c.yaml", overrides: ["model.path=./n"])
        #expect(configuration.model.path == "./n")
    }

    @Test("Without a home directory a ~ is an error and not a folder of that name")
    func noHomeDirectory() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try EngineConfiguration.parse("model: {path: ~/m}\n", file: "c.yaml")
        }
        #expect(
            error.description
                == "c.yaml:1:15: model.path: expected a path without ~, as no home directory is known, found ~/m")
    }

    @Test(
        "Edit distance counts insertions, deletions, substitutions and swaps",
        arguments: [("", "abc", 3), ("cahce", "cache", 1), ("kitten", "sitting", 3), ("block_sise", "block_size", 1)])
    func editDistance(_ left: String, _ right: String, _ distance: Int) {
        #expect(Suggestion.editDistance(Array(left.utf8), Array(right.utf8)) == distance)
        #expect(Suggestion.editDistance(Array(right.utf8), Array(left.utf8)) == distance)
    }
}
