/// Byte-pair encoding of one word: the pair with the lowest rank, the leftmost of several, is merged until no pair is
/// left (Sennrich et al. 2016, arXiv 1508.07909).
struct BytePairEncoder: Sendable {
    /// The tokens with which merging begins.
    let symbols: InitialSymbols
    let merges: MergeTable
    /// Words that become one token without merging (`ignore_merges`); nil if that is off.
    let wholeWords: ByteStringIndex?
    /// A scalar before which a word can be cut if another scalar stands before it, because no token has the two in
    /// this order; nil: there is none. SentencePiece's vocabularies have `▁` at the beginning of tokens only.
    let separator: [UInt8]?

    /// Up to this number of symbols, scanning all of them for the next merge is faster than a heap.
    private static let scanLimit = 40

    /// Memory that calls of `encode` share.
    struct Workspace {
        fileprivate var symbols: [TokenID] = []
        fileprivate var ranks: [MergeTable.Merge] = []
        fileprivate var next: [Int32] = []
        fileprivate var previous: [Int32] = []
        fileprivate var heap = MergeHeap()
        fileprivate var cache = WordCache()

        init() {}
    }

    /// Appends the tokens of `word`, which is not empty, to `output`.
    func encode(_ word: UnsafeBufferPointer<UInt8>, into output: inout [TokenID], _ workspace: inout Workspace) {
        guard let separator, word.count > 15 else { return encodePart(word, into: &output, &workspace) }
        var start = 0
        var index = 0
        var followsSeparator = true
        while index < word.count {
            if word[index] == separator[0], Self.hasPrefix(separator, word, index) {
                if !followsSeparator {
                    encodePart(UnsafeBufferPointer(rebasing: word[start..<index]), into: &output, &workspace)
                    start = index
                }
                followsSeparator = true
                index += separator.count
            } else {
                followsSeparator = false
                index += 1
            }
        }
        encodePart(UnsafeBufferPointer(rebasing: word[start...]), into: &output, &workspace)
    }

    private static func hasPrefix(_ prefix: [UInt8], _ word: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
        guard start + prefix.count <= word.count else { return false }
        for offset in prefix.indices where word[start + offset] != prefix[offset] { return false }
        return true
    }

    private func encodePart(
        _ word: UnsafeBufferPointer<UInt8>, into output: inout [TokenID], _ workspace: inout Workspace
    ) {
        let key = WordCache.key(word)
        if let key, workspace.cache.append(key, to: &output) { return }
        let start = output.count
        if let token = wholeWords?.id(of: word) {
            output.append(token)
        } else {
            workspace.symbols.removeAll(keepingCapacity: true)
            symbols.append(word, to: &workspace.symbols)
            if workspace.symbols.count <= Self.scanLimit {
                mergeByScanning(&workspace)
                output.append(contentsOf: workspace.symbols)
            } else {
                mergeWithHeap(&workspace, into: &output)
            }
        }
        if let key { workspace.cache.store(key, output[start...]) }
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
            guard next >= 0, workspace.symbols[position] != Self.removed else { continue }
            let merge = merges.merge(workspace.symbols[position], workspace.symbols[next])
            guard merge.exists, merge.rank == rank else { continue }
            workspace.symbols[position] = merge.token
            workspace.symbols[next] = Self.removed
            let after = workspace.next[next]
            workspace.next[position] = after
            if after >= 0 { workspace.previous[Int(after)] = Int32(position) }
            if workspace.previous[position] >= 0 { push(Int(workspace.previous[position]), &workspace) }
            push(position, &workspace)
        }
        for symbol in workspace.symbols where symbol != Self.removed { output.append(symbol) }
    }

    private static let removed = TokenID.min

    /// Adds the pair that starts at `position` to the heap, if it can merge.
    private func push(_ position: Int, _ workspace: inout Workspace) {
        let next = Int(workspace.next[position])
        guard next >= 0 else { return }
        let merge = merges.merge(workspace.symbols[position], workspace.symbols[next])
        if merge.exists { workspace.heap.push(rank: merge.rank, position: position) }
    }
}

/// The tokens of the units of a word, before any merge.
struct InitialSymbols: Sendable {
    /// The token of each byte, if the units are bytes, as in GPT-2; negative: there is none. Empty: they are scalars.
    var tokenOfByte: [TokenID] = []
    /// The token of each scalar, as in SentencePiece; negative: there is none.
    var tokenOfScalar: [TokenID] = []
    /// The tokens of the bytes of a scalar that has no token (`byte_fallback`), `[256]`; negative: there is none.
    /// Empty: this is off.
    var fallbackTokens: [TokenID] = []
    /// The token for a unit without a token; `nil`: such units are dropped.
    var unknownToken: TokenID?
    /// Whether neighbouring unknown tokens become one.
    var fusesUnknown = false

    /// Appends the tokens of `word`.
    func append(_ word: UnsafeBufferPointer<UInt8>, to symbols: inout [TokenID]) {
        if tokenOfByte.isEmpty { return appendScalars(word, to: &symbols) }
        var lastWasUnknown = false
        for byte in word {
            let token = tokenOfByte[Int(byte)]
            if token >= 0 {
                symbols.append(token)
                lastWasUnknown = false
            } else if let unknownToken {
                if !(fusesUnknown && lastWasUnknown) { symbols.append(unknownToken) }
                lastWasUnknown = true
            }
        }
    }

    private func appendScalars(_ word: UnsafeBufferPointer<UInt8>, to symbols: inout [TokenID]) {
        // As in `tokenizers`, an unknown token is added when the next known scalar comes; bytes may come before it.
        var hasPendingUnknown = false
        var index = 0
        while index < word.count {
            let (value, length) = UTF8Scalar.value(at: index, of: word)
            let token = value < tokenOfScalar.count ? tokenOfScalar[Int(value)] : -1
            if token >= 0 {
                if hasPendingUnknown, let unknownToken { symbols.append(unknownToken) }
                hasPendingUnknown = false
                symbols.append(token)
            } else if !appendBytes(word[index..<index + length], to: &symbols), let unknownToken {
                if hasPendingUnknown, !fusesUnknown { symbols.append(unknownToken) }
                hasPendingUnknown = true
            }
            index += length
        }
        if hasPendingUnknown, let unknownToken { symbols.append(unknownToken) }
    }

    /// Appends the tokens of the bytes of a scalar, if all of them have one.
    private func appendBytes(_ scalar: Slice<UnsafeBufferPointer<UInt8>>, to symbols: inout [TokenID]) -> Bool {
        guard !fallbackTokens.isEmpty, scalar.allSatisfy({ fallbackTokens[Int($0)] >= 0 }) else { return false }
        for byte in scalar { symbols.append(fallbackTokens[Int(byte)]) }
        return true
    }
}
