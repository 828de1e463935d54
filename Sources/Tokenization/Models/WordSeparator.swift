/// SentencePiece's `▁`, or a space, before which long words are cut. The pieces have the tokens of the whole, because no
/// merge joins the separator with what stands before it, with exceptions.
struct WordSeparator: Sendable {
    let bytes: [UInt8]
    /// Whether a merge joins a character that ends with this byte with the separator, `[256]`; there is no cut then.
    let isJoined: [Bool]

    /// Calls `body` with the pieces of `word`.
    func split(_ word: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        var start = 0
        var index = 0
        var canCut = false
        while index < word.count {
            guard word[index] == bytes[0], isSeparator(word, index) else {
                canCut = !isJoined[Int(word[index])]
                index += 1
                continue
            }
            if canCut {
                body(UnsafeBufferPointer(rebasing: word[start..<index]))
                start = index
            }
            // Several separators stay together.
            canCut = false
            index += bytes.count
        }
        body(UnsafeBufferPointer(rebasing: word[start...]))
    }

    private func isSeparator(_ word: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
        guard start + bytes.count <= word.count else { return false }
        for offset in bytes.indices where word[start + offset] != bytes[offset] { return false }
        return true
    }
}
