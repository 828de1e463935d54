import KVCaching
import Requests
import SharedValues

/// The steps that a step cost is fitted to, as many as fit into an engine's bounds.
struct StepGrid {
    /// Some sequences that begin at the same position and get the same number of tokens.
    struct Part: Hashable {
        let sequenceCount: Int
        let firstPosition: Int
        let tokenCount: Int
    }

    /// One step: parts, or copies of blocks.
    struct Step: Hashable {
        var parts: [Part] = []
        var moveCount = 0
        var direction = BlockMove.Direction.swapOut
    }

    let steps: [Step]

    init(_ bounds: StepBenchmark.Bounds) {
        var steps: [Step] = []
        func add(_ parts: Part...) {
            let step = Step(parts: parts)
            if !steps.contains(step), Self.fits(step, bounds) { steps.append(step) }
        }
        let counts = Self.powers(upTo: min(bounds.maxSequenceCount, bounds.maxTokenCount))
        for count in counts {
            for context in [16, 256, 1024, 4096] {
                add(Part(sequenceCount: count, firstPosition: context - 1, tokenCount: 1))
            }
        }
        let chunks = [4, 12, 24, 48, 96, 192, 384, 768, 1536, 3072, 6144].filter { $0 < bounds.maxTokenCount }
        for chunk in chunks + [bounds.maxTokenCount] {
            for first in [0, 512, 2048] { add(Part(sequenceCount: 1, firstPosition: first, tokenCount: chunk)) }
        }
        for count in [4, 16] {
            for tokens in [16, 64] { add(Part(sequenceCount: count, firstPosition: 0, tokenCount: tokens)) }
        }
        for count in [2, 8, 32] {
            for chunk in [16, 128, 512] {
                add(
                    Part(sequenceCount: count, firstPosition: 255, tokenCount: 1),
                    Part(sequenceCount: 1, firstPosition: 0, tokenCount: chunk))
            }
        }
        for count in [4, 16, 64] where count <= min(bounds.swapBlockCount, bounds.blockCount) {
            for direction in [BlockMove.Direction.swapOut, .swapIn] {
                steps.append(Step(moveCount: count, direction: direction))
            }
        }
        self.steps = steps
    }

    /// 1, 2, 4 and so on, and `limit` itself.
    private static func powers(upTo limit: Int) -> [Int] {
        Array(sequence(first: 1) { $0 * 2 }.prefix { $0 < limit }) + [limit]
    }

    private static func fits(_ step: Step, _ bounds: StepBenchmark.Bounds) -> Bool {
        let blocks = step.parts.reduce(0) { $0 + $1.sequenceCount * $1.blockCount(bounds.groups) }
        return step.parts.reduce(0) { $0 + $1.sequenceCount * $1.tokenCount } <= bounds.maxTokenCount
            && step.parts.reduce(0) { $0 + $1.sequenceCount } <= bounds.maxSequenceCount
            && step.parts.allSatisfy { $0.firstPosition + $0.tokenCount <= bounds.maxContextLength }
            && blocks <= bounds.blockCount
    }
}

extension StepGrid.Part {
    /// Blocks of one of its sequences in all cache groups.
    func blockCount(_ groups: [CacheGroup]) -> Int {
        groups.reduce(0) { $0 + $1.blockCount(forTokens: firstPosition + tokenCount) }
    }
}

extension StepGrid.Step {
    /// The step as the scheduler would have put it: every sequence is new, and what comes before its tokens counts as
    /// computed. Blocks of different sequences are interleaved, as they are after some time of serving.
    func output(_ bounds: StepBenchmark.Bounds, _ numbers: inout SequenceNumbers) -> SchedulerOutput {
        var output = numbers.end()
        var sampling = SamplingParameters()
        sampling.temperature = 0
        let sequenceCount = parts.reduce(0) { $0 + $1.sequenceCount }
        let longest = parts.map { $0.blockCount(bounds.groups) }.max() ?? 0
        let isInterleaved = sequenceCount * longest <= bounds.blockCount
        var nextBlock = 0
        for part in parts {
            for _ in 0..<part.sequenceCount {
                let (id, number) = (numbers.next(), output.scheduled.count)
                let tokens = (0..<part.tokenCount).map {
                    Int32(($0 * 7919 + number * 104_729) % bounds.vocabularySize)
                }
                var index = 0
                let blocks = bounds.groups.map { group in
                    let count = group.blockCount(forTokens: part.firstPosition + part.tokenCount)
                    defer { index += count }
                    return (index..<index + count).map {
                        BlockID(isInterleaved ? $0 * sequenceCount + number : nextBlock + $0)
                    }
                }
                nextBlock += index
                output.admitted.append(AdmittedRequest(id: id, prompt: tokens, sampling: sampling))
                output.scheduled.append(
                    ScheduledRequest(
                        id: id, tokens: tokens[...], firstPosition: part.firstPosition, blocks: blocks,
                        samplesNext: true, outputCount: 0, scoredPositions: 0..<0))
            }
        }
        for index in 0..<moveCount {
            output.moves.append(BlockMove(direction, from: Int32(index), to: Int32(index)))
        }
        return output
    }
}
