import SharedValues

@testable import KVCaching

/// Sequences over two tokens on a manager with a swap space, and what every block really holds.
struct SwapModel: ~Copyable {
    /// A choice of a number below another one: random, or the next of all.
    typealias Choose = (Int) -> Int

    private struct Sequence {
        var tokens: [Int32]
        /// Tokens whose content is in place or will be after the step's writes.
        var computed: Int
        /// Where this step writes from.
        var written: Int
        var table = BlockTable()
    }

    private var cache: KVCacheManager
    private let maximumSequenceCount: Int
    private var sequences: [Sequence] = []
    private var contents: [[Int32]]
    private var swapped: [[Int32]]
    private var broken: [String] = []
    /// Tokens that were found in the cache.
    private(set) var hitCount = 0

    init(cache: consuming KVCacheManager, maximumSequenceCount: Int = .max) {
        let empty = [Int32](repeating: -1, count: cache.blockSize)
        contents = Array(repeating: empty, count: cache.blockCount)
        swapped = Array(repeating: empty, count: cache.swapBlockCount)
        self.maximumSequenceCount = maximumSequenceCount
        self.cache = cache
    }

    /// What new sequences begin with.
    enum Prompts {
        /// One to seven of two tokens.
        case random
        /// So many equal tokens.
        case equal([Int])
    }

    /// One operation of a scheduler.
    mutating func operate(_ choose: Choose, _ prompts: Prompts) {
        let operation = choose(6)
        guard operation > 0 else {
            switch prompts {
            case .random: begin((0..<1 + choose(7)).map { _ in Int32(choose(2)) })
            case .equal(let lengths): begin(Array(repeating: 0, count: lengths[choose(lengths.count)]))
            }
            return
        }
        guard !sequences.isEmpty else { return }
        let index = choose(sequences.count)
        switch operation {
        case 1: extend(index, by: Int32(choose(2)))
        case 2: swapOut(index)
        case 3: fork(index)
        case 4:
            guard sequences[index].table.isSwappedOut else { break }
            _ = cache.swapIn(&sequences[index].table, tokenCount: sequences[index].computed, roomFor: 1)
        default:
            var sequence = sequences.remove(at: index)
            cache.free(&sequence.table)
        }
    }

    private mutating func begin(_ tokens: [Int32]) {
        guard sequences.count < maximumSequenceCount else { return }
        var sequence = Sequence(tokens: tokens, computed: tokens.count, written: 0)
        guard let cached = cache.begin(&sequence.table, tokens: tokens, salt: nil, roomFor: { tokens.count - $0 })
        else { return }
        if cached >= tokens.count || cached % cache.blockSize > 0 { broken.append("\(cached) tokens are cached") }
        hitCount += cached
        sequence.written = cached
        sequences.append(sequence)
    }

    private mutating func extend(_ index: Int, by token: Int32) {
        guard !sequences[index].table.isSwappedOut, sequences[index].written == sequences[index].computed,
            cache.extend(&sequences[index].table, toTokens: sequences[index].computed + 1)
        else { return }
        sequences[index].tokens.append(token)
        sequences[index].computed += 1
    }

    /// As a scheduler does: what this step was to write has not been computed.
    private mutating func swapOut(_ index: Int) {
        guard !sequences[index].table.isSwappedOut else { return }
        let kept = sequences[index].written
        guard cache.swapOut(&sequences[index].table, tokenCount: kept) else { return }
        sequences[index].tokens.removeLast(sequences[index].tokens.count - kept)
        sequences[index].computed = kept
    }

    /// A second continuation of what is settled, with its last token left to write.
    private mutating func fork(_ index: Int) {
        guard sequences.count < maximumSequenceCount, !sequences[index].table.isSwappedOut,
            sequences[index].written == sequences[index].computed
        else { return }
        let tokens = sequences[index].tokens
        var sequence = Sequence(tokens: tokens, computed: tokens.count, written: tokens.count - 1)
        guard cache.fork(&sequence.table, from: sequences[index].table, tokens: tokens, roomFor: 1) == true
        else { return }
        sequences.append(sequence)
    }

    /// Makes the moves and the writes of a step and checks everything; returns what is wrong.
    mutating func endStep() -> [String] {
        let moves = cache.takeMoves()
        for direction in BlockMove.Direction.allCases {
            let round = moves.filter { $0.direction == direction }
            if Set(round.map(\.target)).count != round.count { broken.append("two moves to one block: \(round)") }
            for move in round {
                switch direction {
                case .swapOut: swapped[Int(move.target)] = contents[Int(move.source)]
                case .swapIn: contents[Int(move.target)] = swapped[Int(move.source)]
                case .copy: contents[Int(move.target)] = contents[Int(move.source)]
                }
            }
        }
        for index in sequences.indices where !sequences[index].table.isSwappedOut {
            let sequence = sequences[index]
            for (group, blocks) in zip(cache.groups.indices, sequence.table.blocks) {
                let size = cache.groups[group].blockSize
                for position in sequence.written..<sequence.computed {
                    contents[Int(blocks[position / size])][position % size] =
                        sequence.tokens[position] + Self.mark(group)
                }
            }
            sequences[index].written = sequence.computed
            cache.register(
                &sequences[index].table, tokens: sequence.tokens, computedCount: sequence.computed, salt: nil)
            cache.freeUnseen(&sequences[index].table, computedCount: sequence.computed)
        }
        for sequence in sequences { check(sequence) }
        if let found = cache.checkInvariants(tables: sequences.map(\.table)) { broken.append(found) }
        return broken
    }

    /// What the next token of `sequence` sees must be there, in every group.
    private mutating func check(_ sequence: Sequence) {
        let table = sequence.table
        for (index, group) in cache.groups.enumerated() {
            let first = group.slidingWindow.map { max(0, sequence.computed - ($0 - 1)) } ?? 0
            for position in first..<max(first, sequence.computed) {
                let block =
                    table.isSwappedOut
                    ? swapped[Int(table.swappedBlocks[index][position / group.blockSize])]
                    : contents[Int(table.blocks[index][position / group.blockSize])]
                if block[position % group.blockSize] != sequence.tokens[position] + Self.mark(index) {
                    broken.append("group \(index): position \(position) of \(sequence.tokens) holds \(block)")
                }
            }
        }
    }

    /// Tells apart what groups write.
    private static func mark(_ group: Int) -> Int32 { 10 * Int32(group) }

    /// Frees everything; returns what is wrong or lost.
    mutating func freeAll() -> [String] {
        for index in sequences.indices { cache.free(&sequences[index].table) }
        sequences = []
        if cache.freeBlockCount != cache.blockCount { broken.append("blocks are lost") }
        if cache.freeSwapBlockCount != cache.swapBlockCount { broken.append("blocks of the swap space are lost") }
        return broken
    }
}
