import Tokenization

/// A tokenizer whose tokens are bytes; the last one is special.
struct ByteTokenizer: Tokenizer {
    let vocabularySize = 257
    let specialTokens: [String: Int32] = ["<end>": 256]

    func encode(_ text: String, addSpecialTokens: Bool, parseSpecialTokens: Bool) -> [Int32] {
        text.utf8.map { Int32($0) }
    }

    func bytes(of token: Int32) -> [UInt8]? {
        switch token {
        case 0..<256: [UInt8(token)]
        case 256: Array("<end>".utf8)
        default: nil
        }
    }

    func isSpecial(_ token: Int32) -> Bool { token == 256 }

    func decode(_ tokens: [Int32], skipSpecialTokens: Bool) -> String {
        String(
            decoding: tokens.filter { !skipSpecialTokens || !isSpecial($0) }.flatMap { bytes(of: $0) ?? [] },
            as: UTF8.self)
    }
}
