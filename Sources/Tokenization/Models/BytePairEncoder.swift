/// Byte-pair encoding of one word: the pair with the lowest rank, the leftmost of several, is merged until no pair is
/// left (Sennrich et al. 2016, arXiv 1508.07909).
///
/// A class, as the models' parts are: a structure's arrays would be retained for every word.
final class BytePairEncoder: Sendable {
    /// The tokens with which merging begins.
    let symbols: InitialSymbols
    let merges: MergeTable
    /// Words that become one token without merging (`ignore_merges`); nil if that is off.
    let wholeWords: ByteStringIndex?
    /// Where a word can be cut, because no merge joins the two sides; nil: nowhere.
    let separator: WordSeparator?

    /// Up to this number of bytes, scanning all symbols for the next merge is faster than a heap.
    private static let scanLimit = 40

    init(symbols: InitialSymbols, merges: MergeTable, wholeWords: ByteStringIndex?, separator: WordSeparator?) {
        self.symbols = symbols
        self.merges = merges
        self.wholeWords = wholeWords
        self.separator = separator
    }

    /// Memory that calls of `encode` share.
    final class Workspace {
        /// The symbols of a short word and the merges of each with the next one.
        fileprivate let symbols = UnsafeMutablePointer<TokenID>.allocate(capacity: BytePairEncoder.scanLimit)
        fileprivate let pairs = UnsafeMutablePointer<MergeTable.Merge>.allocate(capacity: BytePairEncoder.scanLimit)
        fileprivate let cache = WordCache()
        /// The same for long words, as a linked list.
        fileprivate var longSymbols: [TokenID] = []
        fileprivate var next: [Int32] = []
        fileprivate var previous: [Int32] = []
        fileprivate var heap = MergeHeap()

        init() {}

        deinit {
            symbols.deallocate()
            pairs.deallocate()
        }
    }

    /// Appends the tokens of `word`, which is not empty, to `output`.
    func encode(_ word: UnsafeBufferPointer<UInt8>, into output: inout [TokenID], _ workspace: Workspace) {
        guard let separator, word.count > 15 else { return encodePart(word, into: &output, workspace) }
        separator.split(word) { encodePart($0, into: &output, workspace) }
    }

    private func encodePart(
        _ word: UnsafeBufferPointer<UInt8>, into output: inout [TokenID], _ workspace: Workspace
    ) {
        if let key = WordCache.key(word) {
            if workspace.cache.append(key, to: &output) { return }
            let start = output.count
            encodeNew(word, into: &output, workspace)
            workspace.cache.store(key, output, from: start)
        } else {
            encodeNew(word, into: &output, workspace)
        }
    }

    private func encodeNew(
        _ word: UnsafeBufferPointer<UInt8>, into output: inout [TokenID], _ workspace: Workspace
    ) {
        if let token = wholeWords?.id(of: word) { return output.append(token) }
        guard word.count <= Self.scanLimit else { return mergeWithHeap(word, workspace, into: &output) }
        let count = mergeByScanning(symbols.write(word, to: workspace.symbols), workspace.symbols, workspace.pairs)
        output.append(contentsOf: UnsafeBufferPointer(start: workspace.symbols, count: count))
    }

    /// Merges `count` symbols; returns how many are left.
    private func mergeByScanning(
        _ count: Int, _ symbols: UnsafeMutablePointer<TokenID>, _ pairs: UnsafeMutablePointer<MergeTable.Merge>
    ) -> Int {
        guard count > 1 else { return count }
        var count = count
        for index in 0..<count - 1 { pairs[index] = merges.merge(symbols[index], symbols[index + 1]) }
        while count > 1 {
            var best = 0
            var bestMerge = pairs[0]
            for index in 1..<max(1, count - 1) where pairs[index].rank < bestMerge.rank {
                best = index
                bestMerge = pairs[index]
            }
            guard bestMerge.exists else { break }
            symbols[best] = bestMerge.token
            count -= 1
            for index in best + 1..<max(best + 1, count) { symbols[index] = symbols[index + 1] }
            for index in best..<max(best, count - 1) { pairs[index] = pairs[index + 1] }
            if best > 0 { pairs[best - 1] = merges.merge(symbols[best - 1], bestMerge.token) }
            if best < count - 1 { pairs[best] = merges.merge(bestMerge.token, symbols[best + 1]) }
        }
        return count
    }

    /// The result of `mergeByScanning` in n log n, with a linked list of symbols and a heap of the pairs that can
    /// merge. If a pair changes after it was added to the heap, its entry is recognized by the different rank.
    private func mergeWithHeap(
        _ word: UnsafeBufferPointer<UInt8>, _ workspace: Workspace, into output: inout [TokenID]
    ) {
        workspace.longSymbols = [TokenID](unsafeUninitializedCapacity: word.count) { buffer, count in
            if let base = buffer.baseAddress { count = symbols.write(word, to: base) }
        }
        let count = workspace.longSymbols.count
        guard count > 1 else { return output.append(contentsOf: workspace.longSymbols) }
        workspace.next = (1...count).map { $0 == count ? -1 : Int32($0) }
        workspace.previous = (0..<count).map { Int32($0) - 1 }
        workspace.heap.removeAll()
        merge(&workspace.longSymbols, &workspace.next, &workspace.previous, &workspace.heap)
        for symbol in workspace.longSymbols where symbol != Self.removed { output.append(symbol) }
    }

    private func merge(
        _ symbols: inout [TokenID], _ next: inout [Int32], _ previous: inout [Int32], _ heap: inout MergeHeap
    ) {
        /// Adds the pair that starts at `position` to the heap, if it can merge.
        func push(_ position: Int) {
            let following = Int(next[position])
            guard following >= 0 else { return }
            let merge = merges.merge(symbols[position], symbols[following])
            if merge.exists { heap.push(rank: merge.rank, position: position) }
        }
        for index in 0..<symbols.count - 1 { push(index) }
        while let (rank, position) = heap.popMinimum() {
            let following = Int(next[position])
            guard following >= 0, symbols[position] != Self.removed else { continue }
            let merge = merges.merge(symbols[position], symbols[following])
            guard merge.exists, merge.rank == rank else { continue }
            symbols[position] = merge.token
            symbols[following] = Self.removed
            let after = next[following]
            next[position] = after
            if after >= 0 { previous[Int(after)] = Int32(position) }
            if previous[position] >= 0 { push(Int(previous[position])) }
            push(position)
        }
    }

    private static let removed = TokenID.min
}
