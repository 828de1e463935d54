/// Byte-pair encoding of one word: the lowest ranked pair, leftmost first, merges until none is left
/// (Sennrich et al. 2016, arXiv 1508.07909).
struct BytePairEncoder: Sendable {
    /// The token of each single byte; negative: the vocabulary has none.
    let tokenOfByte: [TokenID]
    /// What stands for a byte without a token; `nil`: such bytes are dropped.
    let unknownToken: TokenID?
    /// Whether neighbouring unknown tokens become one.
    let fusesUnknown: Bool
    let merges: MergeTable
    /// Whole words that are tokens whatever the merges say (`ignore_merges`); empty where that is off.
    let wholeWords: [[UInt8]: TokenID]

    /// Above this many symbols a heap finds the next merge; below, looking at all of them is quicker.
    private static let scanLimit = 40

    /// Reused memory of `encode`.
    struct Workspace {
        fileprivate var symbols: [TokenID] = []
        fileprivate var ranks: [MergeTable.Merge] = []
        fileprivate var next: [Int32] = []
        fileprivate var previous: [Int32] = []
        fileprivate var heap = MergeHeap()

        /// An empty workspace.
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

    /// As `mergeByScanning`, in n log n: a linked list of symbols and a heap of the pairs that may merge.
    /// An entry of the heap whose pair has changed since is recognised by its rank.
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

    /// Remembers the pair that starts at `position`, if it merges.
    private func push(_ position: Int, _ workspace: inout Workspace) {
        let next = Int(workspace.next[position])
        guard next >= 0 else { return }
        let merge = merges.merge(workspace.symbols[position], workspace.symbols[next])
        if merge.exists { workspace.heap.push(rank: merge.rank, position: position) }
    }
}
