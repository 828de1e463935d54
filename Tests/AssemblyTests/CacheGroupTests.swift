import Backends
import EngineConfig
import Execution
import Plugins
import SharedValues
import Testing

@testable import Assembly

/// A model of two layers, the first of which has a window of four positions.
@Suite struct CacheGroupTests {
    private func load(_ cache: String, maxModelLength: Int? = nil) throws -> LoadedModel {
        let model = try ModelDirectory("mistral-layer-types")
        var catalog = try PluginCatalog.builtin()
        try catalog.backends.register("sized") { _ in SizedBackend(freeByteCount: 1 << 26, isHostMemory: true) }
        var configuration = try model.configuration(
            "backend: {name: sized}\nscheduler: {max_num_batched_tokens: 32, max_num_seqs: 4}\n"
                + "cache: {block_size: 8\(cache)}")
        configuration.model.maxModelLen = maxModelLength
        return try LoadedModel(
            catalog.checkpoint(of: configuration), configuration, catalog: catalog, logger: LogLines().logger,
            progress: { _ in })
    }

    @Test func eachWindowIsAGroup() throws {
        let model = try load("")
        #expect(model.groups == [CacheGroup(blockSize: 8, slidingWindow: 4), CacheGroup(blockSize: 8)])
        // Four sequences of 256 tokens: 32 blocks without a window; with it two blocks, or six while one computes 32 tokens.
        #expect(model.blockCount == 4 * 32 + 3 * 2 + 6 && model.maxModelLength == 256)
        // A physical layer for both: two heads of eight 32-bit numbers.
        #expect(model.memory.blockByteCount == 2 * 8 * 2 * 8 * 4)
        #expect(model.memory.cacheTokenCount == 140 / 2 * 8)
    }

    @Test func theLongestSequenceCountsWhatIsHeldAtOnce() throws {
        // Six blocks in the window and before it, so fourteen for all positions.
        #expect(try load(", num_blocks: 20").maxModelLength == 14 * 8)
        let error = #expect(throws: AssemblyError.self) {
            try load(", num_blocks: 20", maxModelLength: 113)
        }
        #expect(try #require(error).description.contains("at most the 112 tokens that the cache holds"))
        let empty = #expect(throws: AssemblyError.self) { try load(", num_blocks: 1") }
        #expect(try #require(empty).description.contains("the cache needs 2 blocks, one for each of its groups"))
    }

    @Test func aSequenceCanBeScoredInAsManyBlocksAsItHolds() throws {
        let directory = try ModelDirectory("mistral-layer-types")
        let model = try LoadedModel(
            directory.configuration(
                "backend: {name: reference}\nscheduler: {max_num_batched_tokens: 32, max_num_seqs: 4}\ncache: {block_size: 8}"
            ),
            sequenceLength: 200, catalog: PluginCatalog.builtin(), logger: LogLines().logger)
        #expect(model.blockCount == 25 + 6 && model.maxModelLength == 200)
        var scorer = try model.scorer()
        var positions: [Int] = []
        try scorer.score((0..<200).map { Int32($0) }) { position, _ in positions.append(position) }
        #expect(positions == Array(0..<200))
    }

    /// LongRoPE chooses its divisors by the length that is served.
    @Test func shortSequencesAreScoredWithTheRotationOfTheModelsLength() throws {
        let directory = try ModelDirectory("llama-longrope", in: "families")
        func scored(maxModelLength: Int?, sequenceLength: Int?) throws -> [Float] {
            var configuration = try directory.configuration("backend: {name: reference}\ncache: {dtype: f32}")
            configuration.model.maxModelLen = maxModelLength
            let model = try LoadedModel(
                configuration, sequenceLength: sequenceLength, catalog: PluginCatalog.builtin(),
                logger: LogLines().logger)
            var scorer = try model.scorer()
            var last: [Float] = []
            try scorer.score([5, 7, 11, 13]) { _, row in last = Array(row) }
            return last
        }
        let served = try scored(maxModelLength: nil, sequenceLength: nil)
        #expect(try scored(maxModelLength: nil, sequenceLength: 8) == served)
        #expect(try scored(maxModelLength: 8, sequenceLength: nil) != served)
    }
}
