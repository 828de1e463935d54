import SharedValues

/// An executor without a model, on which tests run the whole engine and server.
///
/// It keeps a cache of its own, written through slots and read through block tables like a real one, and the next
/// token is a function of every token it reads there. So a block that was freed, overwritten or never written
/// changes the text, as it would with a model.
public struct ScriptedExecutor: ModelExecutor {
    private let vocabularySize: Int
    private let blockSize: Int
    private let slidingWindow: Int?
    private var slots: [Int32]
    private var swappedSlots: [Int32]

    /// An executor over `blockCount` blocks, and `swapBlockCount` to swap to, whose tokens are `0 ..< vocabularySize`.
    /// With a sliding window, the next token depends on that many tokens before it.
    public init(
        vocabularySize: Int, blockCount: Int, blockSize: Int, swapBlockCount: Int = 0, slidingWindow: Int? = nil
    ) {
        self.vocabularySize = vocabularySize
        self.blockSize = blockSize
        self.slidingWindow = slidingWindow
        slots = Array(repeating: -1, count: blockCount * blockSize)
        swappedSlots = Array(repeating: -1, count: swapBlockCount * blockSize)
    }

    /// Makes the moves, writes the scheduled tokens into their slots and continues each context that is complete.
    public mutating func execute(_ output: SchedulerOutput) -> ModelRunnerOutput {
        for direction in BlockMove.Direction.allCases {
            for move in output.moves where move.direction == direction { make(move) }
        }
        for scheduled in output.scheduled {
            for (offset, token) in scheduled.tokens.enumerated() {
                slots[slot(of: scheduled.firstPosition + offset, in: scheduled.blocks)] = token
            }
        }
        return ModelRunnerOutput(
            results: output.scheduled.map { scheduled in
                let end = scheduled.firstPosition + scheduled.tokens.count
                var result = StepResult()
                if scheduled.samplesNext { result.tokens = StepTokens(next(before: end, in: scheduled.blocks)) }
                result.promptLogprobs = scheduled.scoredPositions.map { position in
                    // As with a model, a score depends on every token before it.
                    let guess = next(before: position + 1, in: scheduled.blocks)
                    let entry = TokenLogprob(token: guess, logprob: -0.5, rank: 1)
                    return TokenLogprobs(chosen: entry, top: [entry])
                }
                return result
            })
    }

    /// The token at position `end`, from what the cache holds of those before it.
    private func next(before end: Int, in blocks: [Int32]) -> Int32 {
        let begin = slidingWindow.map { max(0, end - $0) } ?? 0
        let context = (begin..<end).map { slots[slot(of: $0, in: blocks)] }
        return Self.next(after: context, vocabularySize: vocabularySize)
    }

    private mutating func make(_ move: BlockMove) {
        for offset in 0..<blockSize {
            let (source, target) = (Int(move.source) * blockSize + offset, Int(move.target) * blockSize + offset)
            switch move.direction {
            case .swapOut: swappedSlots[target] = slots[source]
            case .swapIn: slots[target] = swappedSlots[source]
            case .copy: slots[target] = slots[source]
            }
        }
    }

    private func slot(of position: Int, in blocks: [Int32]) -> Int {
        Int(blocks[position / blockSize]) * blockSize + position % blockSize
    }

    /// The token that follows `context`: an FNV-1a hash of it, so any change anywhere shows.
    public static func next(after context: [Int32], vocabularySize: Int) -> Int32 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for token in context {
            hash = (hash ^ UInt64(UInt32(bitPattern: token))) &* 0x0000_0100_0000_01b3
        }
        return Int32((hash >> 16) % UInt64(vocabularySize))
    }
}
