/// Byte-pair encoding of one word: the pair with the lowest rank, the leftmost of several, is merged until no pair is
/// left (Sennrich et al. 2016, arXiv 1508.07909).
struct BytePairEncoder: Sendable {
    /// The token of each single byte; negative: there is none.
    let tokenOfByte: [TokenID]
    /// The token for a byte without a token; `nil`: such bytes are dropped.
    let unknownToken: TokenID?
    /// Whether neighbouring unknown tokens become one.
    let fusesUnknown: Bool
    let merges: MergeTable
    /// Words that become one token without merging (`ignore_merges`); empty if that is off.
    let wholeWords: [[UInt8]: TokenID]

    /// Up to this number of symbols, scanning all of them for the next merge is faster than a heap.
    private static let scanLimit = 40

    /// Memory that calls of `encode` share.
    struct Workspace {
        fileprivate var symbols: [TokenID] = []
        fileprivate var ranks: [MergeTable.Merge] = []
        fileprivate var next: [Int32] = []
        fileprivate var previous: [Int32] = []
        fileprivate var heap = MergeHeap()

        init() {}
    }

    /// Appends the tokens of `word` to `output`.
    func encode(_ word: UnsafeBufferPointer<UInt8>, into output: inout [TokenID], _ workspace: inout Workspace) {
        if !wholeWords.isEmpty, let token = wholeWords[Array(word)] {
            output.append(token)
            return
        }
        workspace.symbols.removeAll(keepingCapacity: true)
        var lastWasUnknown = false
        for byte in word {
            let token = tokenOfByte[Int(byte)]
            if token >= 0 {
                workspace.symbols.append(token)
                lastWasUnknown = false
            } else if let unknownToken {
                if !(fusesUnknown && lastWasUnknown) { workspace.symbols.append(unknownToken) }
                lastWasUnknown = true
            }
        }
        if workspace.symbols.count <= Self.scanLimit {
            mergeByScanning(&workspace)
            output.append(contentsOf: workspace.symbols)
        } else {
            mergeWithHeap(&workspace, into: &output)
        }
    }

    private func mergeByScanning(_ workspace: inout Workspace) {
        var count = workspace.symbols.count
        guard count > 1 else { return }
        workspace.ranks.removeAll(keepingCapacity: true)
        for index in 0..<count - 1 {
            workspace.ranks.append(merges.merge(workspace.symbols[index], workspace.symbols[index + 1]))
        }
        while count > 1 {
            var best = 0
            var bestMerge = MergeTable.Merge.none
            for index in 0..<count - 1 where workspace.ranks[index].rank < bestMerge.rank {
                best = index
                bestMerge = workspace.ranks[index]
            }
            guard bestMerge.exists else { break }
            workspace.symbols[best] = bestMerge.token
            workspace.symbols.remove(at: best + 1)
            workspace.ranks.remove(at: best)
            count -= 1
            if best > 0 {
                workspace.ranks[best - 1] = merges.merge(workspace.symbols[best - 1], bestMerge.token)
            }
            if best < count - 1 {
                workspace.ranks[best] = merges.merge(bestMerge.token, workspace.symbols[best + 1])
            }
        }
    }

    /// The result of `mergeByScanning` in n log n, with a linked list of symbols and a heap of the pairs that can
    /// merge. If a pair changes after it was added to the heap, its entry is recognized by the different rank.
    private func mergeWithHeap(_ workspace: inout Workspace, into output: inout [TokenID]) {
        let count = workspace.symbols.count
        workspace.next = (1...count).map { $0 == count ? -1 : Int32($0) }
        workspace.previous = (0..<count).map { Int32($0) - 1 }
        workspace.heap.removeAll()
        for index in 0..<count - 1 { push(index, &workspace) }
        while let (rank, position) = workspace.heap.popMinimum() {
            let next = Int(workspace.next[position])
            guard next >= 0, workspace.symbols[position] >= 0 else { continue }
            let merge = merges.merge(workspace.symbols[position], workspace.symbols[next])
            guard merge.exists, merge.rank == rank else { continue }
            workspace.symbols[position] = merge.token
            workspace.symbols[next] = -1
            let after = workspace.next[next]
            workspace.next[position] = after
            if after >= 0 { workspace.previous[Int(after)] = Int32(position) }
            if workspace.previous[position] >= 0 { push(Int(workspace.previous[position]), &workspace) }
            push(position, &workspace)
        }
        for symbol in workspace.symbols where symbol >= 0 { output.append(symbol) }
    }

    /// Adds the pair that starts at `position` to the heap, if it can merge.
    private func push(_ position: Int, _ workspace: inout Workspace) {
        let next = Int(workspace.next[position])
        guard next >= 0 else { return }
        let merge = merges.merge(workspace.symbols[position], workspace.symbols[next])
        if merge.exists { workspace.heap.push(rank: merge.rank, position: position) }
    }
}

/// The rank and the resulting token of each pair of tokens that can merge: an open-addressed hash table.
struct MergeTable: Sendable {
    private var keys: [UInt64]
    private var values: [UInt64]
    private let shift: UInt64
    private static let empty = UInt64.max

    /// The merge of a pair of tokens.
    struct Merge: Equatable {
        /// Rank in the upper half, token in the lower.
        fileprivate let bits: UInt64
        /// No merge: a rank above all others.
        static let none = Merge(bits: UInt64.max)

        /// The index of the merge in the vocabulary's list; lower ranks merge first.
        var rank: UInt32 { UInt32(truncatingIfNeeded: bits >> 32) }
        /// The token that the pair becomes.
        var token: TokenID { TokenID(truncatingIfNeeded: bits) }
        /// Whether the pair can merge.
        var exists: Bool { bits != UInt64.max }
    }

    /// An empty table with capacity for `count` merges.
    init(count: Int) {
        var bits = 4
        while (1 << bits) < count * 2 { bits += 1 }
        keys = [UInt64](repeating: Self.empty, count: 1 << bits)
        values = [UInt64](repeating: 0, count: 1 << bits)
        shift = UInt64(64 - bits)
    }

    private static func key(_ left: TokenID, _ right: TokenID) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    private func slot(_ key: UInt64) -> Int { Int((key &* 0x9E37_79B9_7F4A_7C15) >> shift) }

    /// Adds a merge, or replaces that of the same pair.
    mutating func insert(left: TokenID, right: TokenID, rank: UInt32, token: TokenID) {
        let key = Self.key(left, right)
        var slot = slot(key)
        while keys[slot] != Self.empty, keys[slot] != key { slot = (slot + 1) & (keys.count - 1) }
        keys[slot] = key
        values[slot] = UInt64(rank) << 32 | UInt64(UInt32(bitPattern: token))
    }

    /// The merge of `left` followed by `right`.
    func merge(_ left: TokenID, _ right: TokenID) -> Merge {
        let key = Self.key(left, right)
        var slot = slot(key)
        while true {
            let found = keys[slot]
            if found == key { return Merge(bits: values[slot]) }
            if found == Self.empty { return .none }
            slot = (slot + 1) & (keys.count - 1)
        }
    }
}

/// A binary heap of merges, ordered by rank and then by position.
struct MergeHeap {
    /// Rank in the upper half, position in the lower.
    private var entries: [UInt64] = []

    init() {}

    /// Removes all entries and keeps the memory.
    mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    mutating func push(rank: UInt32, position: Int) {
        let entry = UInt64(rank) << 32 | UInt64(UInt32(truncatingIfNeeded: position))
        var index = entries.count
        entries.append(entry)
        while index > 0 {
            let parent = (index - 1) / 2
            if entries[parent] <= entry { break }
            entries[index] = entries[parent]
            index = parent
        }
        entries[index] = entry
    }

    /// Removes and returns the lowest entry; `nil`: the heap is empty.
    mutating func popMinimum() -> (rank: UInt32, position: Int)? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        if !entries.isEmpty {
            var index = 0
            while true {
                var child = 2 * index + 1
                guard child < entries.count else { break }
                if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
                if entries[child] >= last { break }
                entries[index] = entries[child]
                index = child
            }
            entries[index] = last
        }
        return (UInt32(truncatingIfNeeded: first >> 32), Int(UInt32(truncatingIfNeeded: first)))
    }
}
