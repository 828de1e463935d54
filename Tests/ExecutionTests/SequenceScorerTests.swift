import Backends
import Execution
import SharedValues
import Testing

@Suite("Scoring a sequence")
struct SequenceScorerTests {
    @Test(
        "rows are transformers', and the same bits whatever the chunk",
        arguments: Device.all, ["llama-bf16", "mistral-layer-types"])
    func chunks(device: Device, checkpoint: String) throws {
        let golden = try #require(try Golden.small(checkpoint).prompts.max { $0.tokens.count < $1.tokens.count })
        var whole: [[Float]] = []
        for (chunk, blockSize) in [(64, 16), (1, 4), (3, 4), (7, 1), (16, 16)] {
            let machine = try Machine(
                path: Golden.path(checkpoint), on: device, maxTokenCount: 64, maxSequenceCount: 4)
            let layout = machine.layout(blockSize: blockSize)
            let blockCount = layout.groups.maximumBlockCount(forTokens: 64, chunkTokenCount: chunk)
            var scorer = SequenceScorer(
                plan: try machine.preparedPlan(layout, blockCount: blockCount), blockCount: blockCount,
                groups: layout.groups, chunkTokenCount: chunk, maxTokenCount: 64)
            var rows: [[Float]] = []
            // A sequence before it leaves nothing behind.
            for tokens in [Array(golden.tokens.reversed()), golden.tokens] {
                rows = []
                try scorer.score(tokens) { position, row in
                    #expect(position == rows.count)
                    rows.append(Array(row))
                }
            }
            #expect(rows.count == golden.tokens.count)
            if whole.isEmpty { whole = rows }
            #expect(rows == whole)
        }
        let pairs = zip(whole.dropFirst(golden.logitsFrom).joined(), golden.logits.joined())
        #expect(pairs.allSatisfy { abs($0 - $1) < 1e-3 })
    }
}
