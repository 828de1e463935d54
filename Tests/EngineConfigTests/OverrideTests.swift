import Backends
import Testing

@testable import EngineConfig

@Suite struct OverrideTests {
    @Test("An override wins over the file, and the last override over the ones before")
    func precedence() throws {
        let configuration = try EngineConfiguration.parse(
            minimal + "cache: {block_size: 8, memory: 1GiB}\n", file: "c.yaml",
            overrides: ["cache.block_size=32", "cache.block_size=64", "cache.memory=null", "cache.num_blocks=7"])
        #expect(configuration.cache.blockSize == 64)
        #expect(configuration.cache.memory == nil)
        #expect(configuration.cache.numBlocks == 7)
        #expect(configuration.origin(of: "cache.block_size") == .override)
        #expect(configuration.origin(of: "model.path") == .file(line: 1, column: 15))
        #expect(configuration.origin(of: "server.port") == .default)
    }

    @Test("A section can be overridden in YAML's flow style; what it does not name stays")
    func wholeSection() throws {
        let configuration = try EngineConfiguration.parse(
            minimal + "cache: {block_size: 8}\n", file: "c.yaml", overrides: ["cache={dtype: f16, num_blocks: 7}"])
        #expect(configuration.cache.blockSize == 8)
        #expect(configuration.cache.dtype == .f16)
        #expect(configuration.cache.numBlocks == 7)
    }

    @Test(
        "A bad override is named by its key",
        arguments: [
            ("cache.block_size=24", "--set cache.block_size: expected a power of two from 1 to 256, found 24"),
            ("cache.block_sise=16", "--set cache.block_sise: unknown key; did you mean \"block_size\"?"),
            ("cahce.block_size=16", "--set cahce: unknown section; did you mean \"cache\"?"),
            ("block_size=16", "--set block_size: unknown section; did you mean \"cache.block_size\"?"),
            ("cache.block_size=", "--set cache.block_size: expected a power of two from 1 to 256, found no value"),
            (
                "cache.block_size",
                "--set: expected KEY=VALUE such as cache.block_size=32, found no = after \"cache.block_size\""
            ),
            ("=16", "--set: expected KEY=VALUE such as cache.block_size=32, found no key"),
            ("", "--set: expected KEY=VALUE such as cache.block_size=32, found no = after \"\""),
            ("cache=16", "--set cache: expected keys such as block_size:, found 16"),
            (
                "cache.dtype=[f32",
                "--set cache.dtype: not valid YAML: did not find expected ',' or ']' while parsing a "
                    + "flow sequence at line 1"
            ),
            (
                "cache.dtype=*x",
                "--set cache.dtype: expected a value, found an alias; a text that begins with * needs quotes"
            ),
            ("server=sesame", "--set server: expected keys such as host:, found something else"),
            ("cache={dtype: f32, dtype: f16}", "--set cache.dtype: duplicate key, first given at line 1"),
            (
                "cache.num_blocks=7",
                "--set cache.num_blocks: conflicts with cache.memory (line 2): "
                    + "each fixes the size of the cache, give only one"
            ),
        ])
    func badOverride(_ override: String, _ line: String) {
        #expect(complaints(about: minimal + "cache: {memory: 1GiB}\n", overrides: [override]) == [line])
    }
}
