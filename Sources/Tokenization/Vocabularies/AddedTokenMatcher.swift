/// Finds added tokens in text, as `tokenizers` does: the leftmost, of several at one place the longest, without overlaps;
/// only then each takes the white space beside it that it strips. A token may so reach over the next one, which is found
/// all the same, and the text goes on behind the last.
struct AddedTokenMatcher: Sendable {
    private let tokens: [AddedToken]
    /// The trie's edges: node and byte to node.
    private var edges: [UInt64: Int32] = [:]
    /// The token that ends at each node; -1: none.
    private var tokenAtNode: [Int32] = [-1]
    private var startsToken = [Bool](repeating: false, count: 256)

    /// Looks for each token by the bytes beside it.
    init(_ entries: [(token: AddedToken, bytes: [UInt8])]) {
        tokens = entries.map(\.token)
        for (index, entry) in entries.enumerated() where !entry.bytes.isEmpty {
            startsToken[Int(entry.bytes[0])] = true
            var node: Int32 = 0
            for byte in entry.bytes {
                let key = UInt64(node) << 8 | UInt64(byte)
                if let child = edges[key] {
                    node = child
                } else {
                    let child = Int32(tokenAtNode.count)
                    tokenAtNode.append(-1)
                    edges[key] = child
                    node = child
                }
            }
            tokenAtNode[Int(node)] = Int32(index)
        }
    }

    /// Calls `body` with each stretch of `text` between tokens (`token` is `nil`) and each token, in order.
    func split(
        _ text: ArraySlice<UInt8>, includesSpecial: Bool,
        _ body: (_ stretch: ArraySlice<UInt8>, _ token: TokenID?) -> Void
    ) {
        var done = text.startIndex
        var index = text.startIndex
        while index < text.endIndex {
            guard startsToken[Int(text[index])], let (token, matchEnd) = longest(text, index) else {
                index += 1
                continue
            }
            var (start, end) = (index, matchEnd)
            index = matchEnd
            if token.isSpecial, !includesSpecial { continue }
            if token.isSingleWord {
                let isWordBefore = TextBoundary.scalar(before: start, in: text).map(TextBoundary.isWord) ?? false
                let isWordAfter = TextBoundary.scalar(at: end, in: text).map(TextBoundary.isWord) ?? false
                if isWordBefore || isWordAfter { continue }
            }
            if token.stripsLeft {
                while start > done, let scalar = TextBoundary.scalar(before: start, in: text),
                    scalar.properties.isWhitespace
                {
                    start -= UTF8.width(scalar)
                }
                start = max(start, done)
            }
            if token.stripsRight {
                while let scalar = TextBoundary.scalar(at: end, in: text), scalar.properties.isWhitespace {
                    end += UTF8.width(scalar)
                }
            }
            if done < start { body(text[done..<start], nil) }
            // A token of white space may have been taken whole by the one before it.
            if start < end { body(text[start..<end], token.id) }
            done = end
        }
        if done < text.endIndex { body(text[done...], nil) }
    }

    private func longest(_ text: ArraySlice<UInt8>, _ start: Int) -> (token: AddedToken, end: Int)? {
        var node: Int32 = 0
        var found: (AddedToken, Int)?
        var index = start
        while index < text.endIndex, let child = edges[UInt64(node) << 8 | UInt64(text[index])] {
            node = child
            index += 1
            let token = tokenAtNode[Int(node)]
            if token >= 0 { found = (tokens[Int(token)], index) }
        }
        return found
    }
}
