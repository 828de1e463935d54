import KVCaching
import Requests
import SharedValues
import Simulation
import Testing

@testable import Benchmarking

@Suite("Step benchmark")
struct StepBenchmarkTests {
    static func bounds(
        tokens: Int = 512, sequences: Int = 16, length: Int = 1024, blocks: Int = 600, swap: Int = 0,
        groups: [CacheGroup] = [CacheGroup(blockSize: 16)]
    ) -> StepBenchmark.Bounds {
        StepBenchmark.Bounds(
            maxTokenCount: tokens, maxSequenceCount: sequences, maxContextLength: length, blockCount: blocks,
            groups: groups, swapBlockCount: swap, vocabularySize: 100)
    }

    /// An executor that says what a real one could not have run.
    struct StrictExecutor: ModelExecutor {
        struct Impossible: Error { let what: String }

        let bounds: StepBenchmark.Bounds
        var live: Set<RequestID> = []
        var steps: [StepFeatures] = []

        mutating func execute(_ output: SchedulerOutput) throws -> ModelRunnerOutput {
            func hold(_ condition: Bool, _ what: String) throws {
                guard condition else { throw Impossible(what: what) }
            }
            for id in output.finished { try hold(live.remove(id) != nil, "\(id) ends and never ran") }
            for admitted in output.admitted {
                try hold(live.insert(admitted.id).inserted, "\(admitted.id) comes twice")
            }
            try hold(output.tokenCount <= bounds.maxTokenCount, "\(output.tokenCount) tokens")
            try hold(output.scheduled.count <= bounds.maxSequenceCount, "\(output.scheduled.count) sequences")
            let blocks = output.scheduled.flatMap { $0.blocks.joined() }
            try hold(Set(blocks).count == blocks.count, "a block is shared")
            try hold(blocks.allSatisfy { (0..<bounds.blockCount).contains(Int($0)) }, "no such block")
            for scheduled in output.scheduled {
                try hold(live.contains(scheduled.id), "\(scheduled.id) runs before it comes")
                let end = scheduled.firstPosition + scheduled.tokens.count
                try hold(end <= bounds.maxContextLength, "\(end) tokens in a sequence")
                let counts = bounds.groups.map { $0.blockCount(forTokens: end) }
                try hold(scheduled.blocks.map(\.count) == counts, "missing blocks")
                try hold(scheduled.tokens.allSatisfy { 0 <= $0 && $0 < bounds.vocabularySize }, "no such token")
            }
            for move in output.moves {
                let (device, host) =
                    move.direction == .swapOut ? (move.source, move.target) : (move.target, move.source)
                try hold(Int(device) < bounds.blockCount && Int(host) < bounds.swapBlockCount, "no such block")
            }
            steps.append(StepFeatures(output))
            return ModelRunnerOutput(results: output.scheduled.map { _ in StepResult(tokens: StepTokens(1)) })
        }
    }

    @Test(
        "every step could have been scheduled, each once a round, and nothing is left",
        arguments: [
            bounds(), bounds(tokens: 16, sequences: 1, length: 20, blocks: 2), bounds(sequences: 64, blocks: 5000),
            bounds(tokens: 8192, sequences: 128, length: 8192, blocks: 9000, swap: 40), bounds(blocks: 7, swap: 7),
            bounds(
                blocks: 900,
                groups: [CacheGroup(blockSize: 16, slidingWindow: 64), CacheGroup(blockSize: 32)]),
        ])
    func possible(bounds: StepBenchmark.Bounds) throws {
        var executor = StrictExecutor(bounds: bounds)
        var benchmark = StepBenchmark()
        benchmark.roundCount = 2
        let samples = try benchmark.run(on: &executor, bounds)
        #expect(executor.live.isEmpty)
        // Three rounds, the first to warm up, and one step that ends the last.
        #expect(executor.steps.count == 3 * samples.count + 1)
        #expect(samples.allSatisfy { $0.seconds > 0 })
        #expect(samples.contains { $0.features.sequenceCount == 1 } || bounds.maxContextLength < 16)
        #expect(samples.contains { $0.features.moveCount > 0 } == (bounds.swapBlockCount >= 4))
    }

    @Test("chunks after a context, batches and both together are all there, up to the bounds")
    func coverage() throws {
        let bounds = Self.bounds(sequences: 32, blocks: 5000)
        var executor = StrictExecutor(bounds: bounds)
        let steps = try StepBenchmark().run(on: &executor, bounds).map(\.features)
        #expect(steps.contains { $0.sequenceCount == 32 && $0.promptTokenCount == 0 })
        #expect(steps.contains { $0.promptTokenCount == 512 && $0.contextTokenCount == 1024 })
        #expect(steps.contains { $0.promptTokenCount > 0 && $0.sequenceCount > 0 })
        #expect(Set(steps.map(\.rowCount)).isSuperset(of: [1, 2, 4, 8, 16, 32]))
    }
}
