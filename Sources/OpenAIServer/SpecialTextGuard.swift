import Tokenization

/// Keeps clients from writing control tokens into a chat: `<|im_end|>` in a message stays nine characters of text.
///
/// A template mixes its own control tokens with the clients' texts in one string, and only that string is tokenized.
/// So before rendering, wherever a client's text holds a special token, or ends with the beginning of one, a marker is
/// put before each character of that place. After rendering, a special token is recognised only where no marker
/// stands: those come from the template. Then the markers go, and the texts between are encoded as plain text. Texts
/// without such places, nearly all, are unchanged, so prompts are token for token what Hugging Face's libraries give;
/// and what the template does with a text (trimming, cutting, joining) cannot bring a token back, since any two
/// neighbouring characters of it have a marker between them. (CVE-2026-44222 is this attack on a peer.)
struct SpecialTextGuard {
    private let tokenizer: any Tokenizer
    private let trie: ByteTrie
    private let marker: [UInt8]
    private(set) var isNeeded = false

    /// A guard for texts among `strings`. Throws where they leave no character for the marker.
    ///
    /// The marker is one of Unicode's noncharacters, which are not for interchange, that `strings` do not use.
    init(_ tokenizer: any Tokenizer, _ specialTexts: ByteTrie, strings: [String]) throws(ServerError) {
        self.tokenizer = tokenizer
        trie = specialTexts
        var free = Set((0xFDD0...0xFDEF as ClosedRange<UInt32>).compactMap(Unicode.Scalar.init))
        for string in strings {
            for scalar in string.unicodeScalars where (0xFDD0...0xFDEF).contains(scalar.value) { free.remove(scalar) }
        }
        guard let scalar = free.min() else {
            throw .invalidField("messages", "the texts use all of Unicode's noncharacters U+FDD0 to U+FDEF")
        }
        marker = Array(String(Character(scalar)).utf8)
    }

    /// `text` with markers where they are needed.
    mutating func marked(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var markedUntil = 0
        var result: [UInt8] = []
        for index in bytes.indices {
            // Only the first byte of a character can begin a token or take a marker before it.
            let beginsCharacter = bytes[index] & 0xC0 != 0x80
            if beginsCharacter, let match = trie.match(bytes, at: index) {
                markedUntil = max(markedUntil, match.isCut ? bytes.count : index + match.byteCount)
            }
            if beginsCharacter, index < markedUntil {
                result.append(contentsOf: marker)
                isNeeded = true
            }
            result.append(bytes[index])
        }
        return markedUntil == 0 ? text : String(decoding: result, as: UTF8.self)
    }

    /// `name` with markers within it where it stands inside of a special token's text, for names that the template does not
    /// know: a template that writes `'<|' + message.role + '|>'` would make a control token of the role `im_end`.
    mutating func markedInside(_ name: String) -> String {
        let bytes = Array(name.utf8)
        let isPart = tokenizer.specialTokens.keys.contains { Array($0.utf8).contains(bytes) }
        guard isPart, !bytes.isEmpty else { return marked(name) }
        isNeeded = true
        let marker = String(decoding: marker, as: UTF8.self)
        let characters = name.unicodeScalars.map { String(Character($0)) }
        return characters.count == 1 ? marker + name : characters.joined(separator: marker)
    }

    /// Tokens of a rendered template.
    func encode(_ rendered: String, addSpecialTokens: Bool) -> [Int32] {
        guard isNeeded else {
            return tokenizer.encode(rendered, addSpecialTokens: addSpecialTokens, parseSpecialTokens: true)
        }
        let bytes = Array(rendered.utf8)
        var tokens: [Int32] = []
        var plain: [UInt8] = []
        var isFirst = true
        func flush() {
            guard !plain.isEmpty || (isFirst && addSpecialTokens) else { return }
            let text = String(decoding: plain, as: UTF8.self)
            tokens += tokenizer.encode(text, addSpecialTokens: isFirst && addSpecialTokens, parseSpecialTokens: false)
            plain = []
            isFirst = false
        }
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: marker) {
                index += marker.count
                guard index < bytes.count else { break }
                plain.append(bytes[index])
                index += 1
            } else if let match = trie.match(bytes, at: index), match.byteCount > 0 {
                flush()
                tokens.append(match.token)
                index += match.byteCount
            } else {
                plain.append(bytes[index])
                index += 1
            }
        }
        flush()
        return tokens
    }
}
