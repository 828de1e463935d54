import Tokenization

/// Prevents clients from writing control tokens into a chat: `<|im_end|>` in a message stays ten characters of text.
///
/// A template mixes its own control tokens with the clients' texts in one string, and only that string is tokenized. So
/// before rendering, if a client's text contains a special token or ends with the beginning of one, a marker is
/// inserted before each of these characters. After rendering, only special tokens without markers are parsed: they come
/// from the template. Then the markers are removed, and the text between special tokens is encoded as plain text.
/// Almost all texts need no markers, so their prompts have the tokens that Hugging Face's libraries produce. No
/// operation of a template (trimming, cutting, joining) can restore a token, because any two neighbouring characters of
/// it are separated by a marker. (CVE-2026-44222 is this attack on another server.)
struct SpecialTextGuard {
    private let tokenizer: any Tokenizer
    private let trie: ByteTrie
    private let marker: [UInt8]
    private(set) var isNeeded = false

    /// A guard for texts among `strings`. Throws if they use all characters that can be the marker.
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
            // Only the first byte of a character can begin a token or follow a marker.
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

    /// `name`, with markers in it if it is part of a special token's text. This is for names that are not in the
    /// template: a template that writes `'<|' + message.role + '|>'` would turn the role `im_end` into a control token.
    mutating func markedInside(_ name: String) -> String {
        let bytes = Array(name.utf8)
        let isPart = tokenizer.specialTokens.keys.contains { Array($0.utf8).contains(bytes) }
        guard isPart, !bytes.isEmpty else { return marked(name) }
        isNeeded = true
        let marker = String(decoding: marker, as: UTF8.self)
        let characters = name.unicodeScalars.map { String(Character($0)) }
        return characters.count == 1 ? marker + name : characters.joined(separator: marker)
    }

    /// The tokens of a rendered template.
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

/// Finds which of many short texts starts at a position of a long text, in time that does not depend on their number.
struct ByteTrie: Sendable {
    private struct Node: Sendable {
        var children: [UInt8: Int] = [:]
        var token: Int32?
    }

    private var nodes = [Node()]
    /// The size of the longest text.
    private(set) var longestByteCount = 0

    /// A trie of `texts` with their tokens. Empty texts are left out.
    init(_ texts: [String: Int32]) {
        for (text, token) in texts where !text.isEmpty {
            var node = 0
            for byte in text.utf8 {
                if let child = nodes[node].children[byte] {
                    node = child
                } else {
                    nodes.append(Node())
                    nodes[node].children[byte] = nodes.count - 1
                    node = nodes.count - 1
                }
            }
            nodes[node].token = token
            longestByteCount = max(longestByteCount, text.utf8.count)
        }
    }

    /// The longest text that starts at `start`, and whether `bytes` end inside of a text that may continue.
    func match(_ bytes: [UInt8], at start: Int) -> (token: Int32, byteCount: Int, isCut: Bool)? {
        var node = 0
        var found: (token: Int32, byteCount: Int)?
        var index = start
        while index < bytes.count, let child = nodes[node].children[bytes[index]] {
            node = child
            index += 1
            if let token = nodes[node].token { found = (token, index - start) }
        }
        let isCut = index == bytes.count && index > start && !nodes[node].children.isEmpty
        if let found { return (found.token, found.byteCount, isCut) }
        return isCut ? (-1, 0, true) : nil
    }
}
