public import SharedValues

/// An executor without a model, on which tests run the whole engine and server.
///
/// It keeps a cache of its own, written through slots and read through block tables like a real one, and the next
/// token is a function of every token it reads there, in every cache group. So a block that was freed, overwritten, never
/// written or written for another group changes the text, as it would with a model. So does a wrong adapter, in a slot or in
/// what the cache holds.
public struct ScriptedExecutor: ModelExecutor {
    private let vocabularySize: Int
    private let groups: [CacheGroup]
    /// Room for tokens in a block; a block of a group may hold fewer.
    private let stride: Int
    private var slots: [Int32]
    private var swappedSlots: [Int32]
    /// The adapter in each slot.
    private var adapters: [Int: AdapterID] = [:]

    /// An executor over `blockCount` blocks, and `swapBlockCount` to swap to, whose tokens are `0 ..< vocabularySize`.
    /// The next token depends on the tokens in each group's window.
    public init(vocabularySize: Int, blockCount: Int, groups: [CacheGroup], swapBlockCount: Int = 0) {
        self.vocabularySize = vocabularySize
        self.groups = groups
        stride = groups.map(\.blockSize).max() ?? 1
        slots = Array(repeating: -1, count: blockCount * stride)
        swappedSlots = Array(repeating: -1, count: swapBlockCount * stride)
    }

    /// An executor with one group.
    public init(
        vocabularySize: Int, blockCount: Int, blockSize: Int, swapBlockCount: Int = 0, slidingWindow: Int? = nil
    ) {
        self.init(
            vocabularySize: vocabularySize, blockCount: blockCount,
            groups: [CacheGroup(blockSize: blockSize, slidingWindow: slidingWindow)], swapBlockCount: swapBlockCount)
    }

    /// Makes the moves, writes the scheduled tokens into their slots and continues each context that is complete.
    public mutating func execute(_ output: SchedulerOutput) -> ModelRunnerOutput {
        for load in output.adapterLoads { adapters[load.slot] = load.adapter }
        for direction in BlockMove.Direction.allCases {
            for move in output.moves where move.direction == direction { make(move) }
        }
        for scheduled in output.scheduled {
            let adapter = adapter(of: scheduled)
            for group in groups.indices {
                for (offset, token) in scheduled.tokens.enumerated() {
                    let slot = slot(of: scheduled.firstPosition + offset, group, in: scheduled.blocks)
                    slots[slot] = token ^ Self.mark(of: group, adapter)
                }
            }
        }
        return ModelRunnerOutput(
            results: output.scheduled.map { scheduled in
                let end = scheduled.firstPosition + scheduled.tokens.count
                let adapter = adapter(of: scheduled)
                var result = StepResult()
                if scheduled.samplesNext {
                    result.tokens = StepTokens(next(before: end, in: scheduled.blocks, adapter))
                }
                result.promptLogprobs = scheduled.scoredPositions.map { position in
                    // As with a model, a score depends on every token before it.
                    let guess = next(before: position + 1, in: scheduled.blocks, adapter)
                    let entry = TokenLogprob(token: guess, logprob: -0.5, rank: 1)
                    return TokenLogprobs(chosen: entry, top: [entry])
                }
                return result
            })
    }

    /// The token at position `end`, from what the cache holds of those before it.
    private func next(before end: Int, in blocks: [[BlockID]], _ adapter: AdapterID?) -> Int32 {
        let contexts = groups.indices.map { group in
            let begin = groups[group].slidingWindow.map { max(0, end - $0) } ?? 0
            return (begin..<end).map { slots[slot(of: $0, group, in: blocks)] ^ Self.mark(of: group, adapter) }
        }
        return Self.next(after: contexts.joined(), adapter: adapter, vocabularySize: vocabularySize)
    }

    private func adapter(of scheduled: ScheduledRequest) -> AdapterID? {
        // An empty slot is not the same as no adapter.
        scheduled.adapterSlot.map { adapters[$0] ?? AdapterID(.max) }
    }

    /// Tells apart what groups and adapters write, so that a block which one of them reads and another one wrote shows.
    private static func mark(of group: Int, _ adapter: AdapterID?) -> Int32 {
        Int32(group) << 24 ^ Int32(truncatingIfNeeded: adapter.map { ($0.rawValue % 0xFF) + 1 } ?? 0) << 16
    }

    private mutating func make(_ move: BlockMove) {
        for offset in 0..<stride {
            let (source, target) = (Int(move.source) * stride + offset, Int(move.target) * stride + offset)
            switch move.direction {
            case .swapOut: swappedSlots[target] = slots[source]
            case .swapIn: slots[target] = swappedSlots[source]
            case .copy: slots[target] = slots[source]
            }
        }
    }

    private func slot(of position: Int, _ group: Int, in blocks: [[BlockID]]) -> Int {
        let size = groups[group].blockSize
        return Int(blocks[group][position / size]) * stride + position % size
    }

    /// The token that follows `tokens`, each group with those that it sees: an FNV-1a hash, so any change anywhere shows.
    public static func next(
        after tokens: [Int32], groups: [CacheGroup], adapter: AdapterID? = nil, vocabularySize: Int
    ) -> Int32 {
        next(
            after: groups.map { tokens.suffix($0.slidingWindow ?? tokens.count) }.joined(), adapter: adapter,
            vocabularySize: vocabularySize)
    }

    /// The token that follows `context`.
    public static func next(
        after context: some Sequence<Int32>, adapter: AdapterID? = nil, vocabularySize: Int
    ) -> Int32 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        if let adapter { hash = (hash ^ (adapter.rawValue &+ 1)) &* 0x0000_0100_0000_01b3 }
        for token in context {
            hash = (hash ^ UInt64(UInt32(bitPattern: token))) &* 0x0000_0100_0000_01b3
        }
        return Int32((hash >> 16) % UInt64(vocabularySize))
    }
}
