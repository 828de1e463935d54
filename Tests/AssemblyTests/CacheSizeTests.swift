import Backends
import EngineConfig
import Plugins
import Testing

@testable import Assembly

/// How much memory a cache takes by default, and with each key.
@Suite struct CacheSizeTests {
    private static let gibibyte = 1 << 30

    private func size(_ cache: String = "", isHostMemory: Bool) throws -> CacheSize {
        let configuration = try EngineConfiguration.parse("model: {path: m}\ncache: {\(cache)}", file: "c.yaml")
        return CacheSize(configuration.cache, isHostMemory: isHostMemory)
    }

    /// Blocks of one mebibyte, where `useful` of them are of use.
    private func blocks(_ size: CacheSize, available: Int, useful: Int = .max, needed: Int = 0) throws -> Int {
        try size.blockCount(available: available, useful: useful, needed: needed, device: "d") { $0 >> 20 }
    }

    @Test(arguments: [(24, 4096), (8, 4096), (6, 3072), (1, 512)])
    func theHostKeepsHalfOfWhatIsFreeAndAllButFourGibibytes(available: Int, expected: Int) throws {
        let size = try size(isHostMemory: true)
        #expect(try blocks(size, available: available * Self.gibibyte) == expected)
        #expect(try blocks(size, available: available * Self.gibibyte, useful: 100) == 100)
        #expect(size.fraction == 0.9)
    }

    /// `model.max_model_len` was asked for, so that one such sequence should fit; not at the price of the machine.
    @Test func aSequenceOfTheLengthAskedForFits() throws {
        let size = try size(isHostMemory: true)
        #expect(try blocks(size, available: 24 * Self.gibibyte, needed: 6000) == 6000)
        #expect(try blocks(size, available: 24 * Self.gibibyte, needed: 60_000) == 12 * 1024)
        #expect(try blocks(size, available: 24 * Self.gibibyte, needed: 60) == 4096)
    }

    @Test func aDevicesOwnMemoryIsTaken() throws {
        let size = try size(isHostMemory: false)
        #expect(size.fraction == 0.9)
        #expect(try blocks(size, available: 70 * Self.gibibyte) == 70 * 1024)
    }

    @Test(arguments: [true, false]) func whatIsAskedForIsTaken(isHostMemory: Bool) throws {
        let half = try size("memory_utilization: 0.5", isHostMemory: isHostMemory)
        #expect(half.fraction == 0.5)
        #expect(try blocks(half, available: 12 * Self.gibibyte) == 12 * 1024)
        let bytes = try size("memory: 10GiB", isHostMemory: isHostMemory)
        #expect(bytes.fraction == 1)
        #expect(try blocks(bytes, available: 12 * Self.gibibyte) == 10 * 1024)
        #expect(throws: AssemblyError.self) { try blocks(bytes, available: 9 * Self.gibibyte) }
        let count = try size("num_blocks: 7000", isHostMemory: isHostMemory)
        #expect(try blocks(count, available: 12 * Self.gibibyte) == 7000)
        #expect(throws: AssemblyError.self) { try blocks(count, available: 2 * Self.gibibyte) }
    }

    @Test func nothingFitsIntoNothing() throws {
        let error = #expect(throws: AssemblyError.self) {
            try blocks(try size(isHostMemory: true), available: 1 << 20)
        }
        #expect(try #require(error).description == "the cache needs 1 blocks, 0 fit into 524288 bytes of d")
    }

    /// From the configuration to the memory that is taken, on a machine with little of it.
    @Test(arguments: [
        ("", true, "by default at most 4294967296 bytes of the host's memory, and half of what is free; cache.memory"),
        ("cache: {memory_utilization: 0.9}", true, "tokens; cache.memory_utilization and cache.memory change that"),
        ("", false, "tokens; cache.memory_utilization and cache.memory change that"),
        ("cache: {memory: 64KiB}", true, "tokens, as cache.memory says"),
        ("cache: {num_blocks: 16}", true, "256 tokens, as cache.num_blocks or the command says"),
    ])
    func theLogSaysHowMuchAndWhy(cache: String, isHostMemory: Bool, explanation: String) throws {
        let model = try ModelDirectory("llama-bf16")
        let free = 3 << 20
        var catalog = try PluginCatalog.builtin()
        try catalog.backends.register("sized") { _ in SizedBackend(freeByteCount: free, isHostMemory: isHostMemory) }
        let configuration = try model.configuration(
            "backend: {name: sized}\nscheduler: {max_num_batched_tokens: 64, max_num_seqs: 64}\n\(cache)")
        let log = LogLines()
        let prepared = try LoadedModel(
            catalog.checkpoint(of: configuration), configuration, catalog: catalog, logger: log.logger,
            progress: { _ in })
        let memory = prepared.memory
        let line = try #require(log.all.first { $0.contains("the cache takes") })
        #expect(
            line.hasPrefix(
                "info: the cache takes \(memory.cacheByteCount) bytes and holds \(memory.blockCount * 16) tokens"))
        #expect(line.contains(explanation), "\(line)")
        let left = free * 9 / 10 - memory.weightsByteCount - memory.scratchByteCount
        if cache.isEmpty, isHostMemory {
            #expect(memory.cacheByteCount <= left / 2 && memory.cacheByteCount > left / 4)
        } else if !cache.contains("num_blocks"), !cache.contains("memory:") {
            #expect(memory.cacheByteCount > left / 2)
        }
    }
}
