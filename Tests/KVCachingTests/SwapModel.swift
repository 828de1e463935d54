import SharedValues
@testable import KVCaching

/// Sequences over two tokens on a manager with a swap space, and what every block really holds.
struct SwapModel: ~Copyable {
    private struct Sequence {
        var tokens: [Int32]
        /// Tokens whose content is in place or will be after the step's writes.
        var computed: Int
        /// Where this step writes from.
        var written: Int
        var table = BlockTable()
    }

    private var cache: KVCacheManager
    private var sequences: [Sequence] = []
    private var contents: [[Int32]]
    private var swapped: [[Int32]]
    private var broken: [String] = []

    init(cache: consuming KVCacheManager) {
        let empty = [Int32](repeating: -1, count: cache.blockSize)
        contents = Array(repeating: empty, count: cache.blockCount)
        swapped = Array(repeating: empty, count: cache.swapBlockCount)
        self.cache = cache
    }

    mutating func operate(_ random: inout SplitMix64) {
        let index = sequences.isEmpty ? 0 : random.next(below: sequences.count)
        switch random.next(below: 7) {
        case 0, 1:
            let tokens = (0..<1 + random.next(below: 7)).map { _ in Int32(random.next(below: 2)) }
            var sequence = Sequence(tokens: tokens, computed: tokens.count, written: 0)
            let count = tokens.count
            guard let cached = cache.begin(&sequence.table, tokens: tokens, salt: nil, roomFor: { count - $0 })
            else { break }
            sequence.written = cached
            sequences.append(sequence)
        case 2:
            guard !sequences.isEmpty, !sequences[index].table.isSwappedOut,
                sequences[index].written == sequences[index].computed,
                cache.extend(&sequences[index].table, toTokens: sequences[index].computed + 1)
            else { break }
            sequences[index].tokens.append(Int32(random.next(below: 2)))
            sequences[index].computed += 1
        case 3:
            // As a scheduler does: what this step was to write has not been computed.
            guard !sequences.isEmpty, !sequences[index].table.isSwappedOut else { break }
            let kept = sequences[index].written
            guard cache.swapOut(&sequences[index].table, tokenCount: kept) else { break }
            sequences[index].tokens.removeLast(sequences[index].tokens.count - kept)
            sequences[index].computed = kept
        case 5:
            // A second continuation of what is settled, with its last token left to write.
            guard !sequences.isEmpty, !sequences[index].table.isSwappedOut,
                sequences[index].written == sequences[index].computed
            else { break }
            let tokens = sequences[index].tokens
            var sequence = Sequence(tokens: tokens, computed: tokens.count, written: tokens.count - 1)
            guard
                cache.fork(
                    &sequence.table, from: sequences[index].table, tokens: tokens, salt: nil, roomFor: 1) == true
            else { break }
            sequences.append(sequence)
        case 4:
            guard !sequences.isEmpty, sequences[index].table.isSwappedOut else { break }
            guard cache.swapIn(&sequences[index].table, tokenCount: sequences[index].computed, roomFor: 1) else {
                break
            }
        default:
            guard !sequences.isEmpty else { break }
            var sequence = sequences.remove(at: index)
            cache.free(&sequence.table)
        }
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
        let size = cache.blockSize
        let window = cache.slidingWindow ?? .max
        for index in sequences.indices where !sequences[index].table.isSwappedOut {
            let sequence = sequences[index]
            for position in sequence.written..<sequence.computed {
                contents[Int(sequence.table.blocks[position / size])][position % size] = sequence.tokens[position]
            }
            sequences[index].written = sequence.computed
            cache.register(
                &sequences[index].table, tokens: sequence.tokens, computedCount: sequence.computed, salt: nil)
            cache.freeUnseen(&sequences[index].table, computedCount: sequence.computed)
        }
        for sequence in sequences {
            let table = sequence.table
            // What the next token sees.
            for position in max(0, sequence.computed - (window - 1))..<sequence.computed {
                let block =
                    table.isSwappedOut
                    ? swapped[Int(table.swappedBlocks[position / size])]
                    : contents[Int(table.blocks[position / size])]
                if block[position % size] != sequence.tokens[position] {
                    broken.append("position \(position) of \(sequence.tokens) holds \(block)")
                }
            }
        }
        if let found = cache.checkInvariants(tables: sequences.map(\.table)) { broken.append(found) }
        return broken
    }

    /// Frees everything; returns what is wrong or lost.
    mutating func freeAll() -> [String] {
        for index in sequences.indices { cache.free(&sequences[index].table) }
        sequences = []
        if cache.freeBlockCount != cache.blockCount { broken.append("blocks are lost") }
        if cache.freeSwapBlockCount != cache.swapBlockCount { broken.append("blocks of the swap space are lost") }
        return broken
    }
}
