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

    /// Writes the tokens of `word`, at most as many as it has bytes. Returns their number.
    func write(_ word: UnsafeBufferPointer<UInt8>, to symbols: UnsafeMutablePointer<TokenID>) -> Int {
        if tokenOfByte.isEmpty { return writeScalars(word, to: symbols) }
        var count = 0
        var lastWasUnknown = false
        for byte in word {
            let token = tokenOfByte[Int(byte)]
            if token >= 0 {
                symbols[count] = token
                count += 1
                lastWasUnknown = false
            } else if let unknownToken {
                if !(fusesUnknown && lastWasUnknown) {
                    symbols[count] = unknownToken
                    count += 1
                }
                lastWasUnknown = true
            }
        }
        return count
    }

    private func writeScalars(_ word: UnsafeBufferPointer<UInt8>, to symbols: UnsafeMutablePointer<TokenID>) -> Int {
        var count = 0
        func append(_ token: TokenID) {
            symbols[count] = token
            count += 1
        }
        // As in `tokenizers`, an unknown token is added when the next known scalar comes; bytes may come before it.
        var hasPendingUnknown = false
        var index = 0
        while index < word.count {
            let (value, length) = UTF8Scalar.value(at: index, of: word)
            let token = value < tokenOfScalar.count ? tokenOfScalar[Int(value)] : -1
            if token >= 0 {
                if hasPendingUnknown, let unknownToken { append(unknownToken) }
                hasPendingUnknown = false
                append(token)
            } else if hasFallback(word, index, length) {
                for byte in word[index..<index + length] { append(fallbackTokens[Int(byte)]) }
            } else if let unknownToken {
                if hasPendingUnknown, !fusesUnknown { append(unknownToken) }
                hasPendingUnknown = true
            }
            index += length
        }
        if hasPendingUnknown, let unknownToken { append(unknownToken) }
        return count
    }

    /// Whether all bytes of a scalar have tokens.
    private func hasFallback(_ word: UnsafeBufferPointer<UInt8>, _ start: Int, _ length: Int) -> Bool {
        guard !fallbackTokens.isEmpty else { return false }
        for offset in 0..<length where fallbackTokens[Int(word[start + offset])] < 0 { return false }
        return true
    }
}
