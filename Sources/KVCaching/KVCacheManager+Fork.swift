/// Several continuations of one prompt: they share its full blocks, and each gets a copy of the last one, which it is
/// about to write.
extension KVCacheManager {
    /// Starts an empty table with what `parent` holds of all `tokens` but the last, which is left to compute logits from,
    /// and room for `newTokenCount` tokens more. Full blocks are shared; one that is not is copied, as the table is about
    /// to write it: `takeMoves` says so. Returns nil where `parent` no longer holds all of it, false where there is no
    /// room; nothing is changed then. Precondition: `parent` was computed from the same tokens.
    public mutating func fork(
        _ table: inout BlockTable, from parent: BlockTable, tokens: [Int32], salt: String?, roomFor newTokenCount: Int
    ) -> Bool? {
        precondition(table.isEmpty, "a table that has begun cannot begin again")
        let tokenCount = tokens.count - 1
        let fullCount = tokenCount / blockSize
        let unseenCount = unseenBlockCount(after: tokenCount)
        let isCopying = tokenCount % blockSize > 0
        let match = matchPrefix(of: tokens, salt: salt)
        guard parent.blocks.count >= blockCount(forTokens: tokenCount), parent.unseenCount <= unseenCount,
            match.count >= unseenCount,
            // A copy comes before what is copied there in the same step.
            !isCopying || !swapSpace.isFilled(parent.blocks[fullCount])
        else { return nil }
        let newBlockCount = blockCount(forTokens: tokenCount + newTokenCount) - fullCount
        guard newBlockCount <= pool.freeCount else { return false }
        table.blocks = Array(repeating: BlockTable.none, count: unseenCount)
        table.unseenCount = unseenCount
        table.registeredCount = match.count
        table.chain = match.last?.chain ?? .root
        for block in parent.blocks[unseenCount..<fullCount] {
            pool.retain(block)
            table.blocks.append(block)
        }
        take(newBlockCount, into: &table)
        if isCopying {
            let source = parent.blocks[fullCount]
            // Until the copy is made, nobody else may have it, whatever becomes of the parent.
            pool.retain(source)
            copiedBlocks.append(source)
            swapSpace.copy(source, to: table.blocks[fullCount])
        }
        return true
    }
}
