/// One of the known regular expressions that split text into words, implemented as a scanner.
///
/// The expressions differ only in the four properties below. Their alternatives and the order of these are the same:
/// contraction, letters, numbers, other signs, white space. Every scalar belongs to a word.
struct SplitPattern: Sendable, Equatable {
    /// Whether contractions match in upper case, too (`'LL`).
    let ignoresCase: Bool
    /// Whether any sign except a line end may precede letters in a word (`.name`); otherwise only a space may.
    let anySignLeadsLetters: Bool
    /// The maximum number of digits in a word; `nil`: unlimited, and a space may precede them.
    let maximumNumberCount: Int?
    /// Whether line ends belong to the signs before them and end a word of white space.
    let keepsNewlines: Bool

    /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
    static let gpt2 = SplitPattern(
        ignoresCase: false, anySignLeadsLetters: false, maximumNumberCount: nil, keepsNewlines: false)
    /// Llama 3, and tiktoken's cl100k_base: up to three digits per word.
    static let llama3 = SplitPattern(
        ignoresCase: true, anySignLeadsLetters: true, maximumNumberCount: 3, keepsNewlines: true)
    /// Qwen2 and Qwen3: one digit per word.
    static let qwen2 = SplitPattern(
        ignoresCase: true, anySignLeadsLetters: true, maximumNumberCount: 1, keepsNewlines: true)

    private init(ignoresCase: Bool, anySignLeadsLetters: Bool, maximumNumberCount: Int?, keepsNewlines: Bool) {
        self.ignoresCase = ignoresCase
        self.anySignLeadsLetters = anySignLeadsLetters
        self.maximumNumberCount = maximumNumberCount
        self.keepsNewlines = keepsNewlines
    }

    /// The scanner of a regular expression with exactly this text; `nil`: it is unknown.
    init?(regex: String) {
        let contractions = "'s|'t|'re|'ve|'m|'ll|'d"
        let signs = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        let letters = #"|[^\r\n\p{L}\p{N}]?\p{L}+"#
        switch regex {
        case contractions + #"| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: self = .gpt2
        case "(?i:\(contractions))" + letters + #"|\p{N}{1,3}"# + signs: self = .llama3
        case "(?i:\(contractions))" + letters + #"|\p{N}"# + signs: self = .qwen2
        default: return nil
        }
    }

    /// The end of the word that starts at `start`.
    ///
    /// - Precondition: `start` is the start of a scalar of `text`, which is valid UTF-8.
    func end(of text: UnsafeBufferPointer<UInt8>, from start: Int, _ classes: ScalarClasses) -> Int {
        if text[start] == UInt8(ascii: "'"), let end = contractionEnd(text, start) { return end }
        let (kind, length) = classes.kind(at: start, of: text)
        let second = start + length
        if kind.contains(.letter) { return runEnd(text, second, classes) { $0.contains(.letter) } }
        if kind.contains(.number) { return numberEnd(text, second, classes) }
        let isSpace = text[start] == UInt8(ascii: " ")
        if second < text.count, isSpace || (anySignLeadsLetters && !kind.contains(.newline)) {
            let (next, nextLength) = classes.kind(at: second, of: text)
            if next.contains(.letter) { return runEnd(text, second + nextLength, classes) { $0.contains(.letter) } }
            if isSpace {
                if next.isSign { return signEnd(text, second + nextLength, classes) }
                if maximumNumberCount == nil, next.contains(.number) {
                    return numberEnd(text, second + nextLength, classes)
                }
            }
        }
        if kind.isSign { return signEnd(text, second, classes) }
        return spaceEnd(text, start, classes)
    }

    private func runEnd(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ classes: ScalarClasses,
        while isMember: (ScalarClasses.Kind) -> Bool
    ) -> Int {
        var index = start
        while index < text.count {
            let (kind, length) = classes.kind(at: index, of: text)
            guard isMember(kind) else { break }
            index += length
        }
        return index
    }

    private func numberEnd(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ classes: ScalarClasses
    ) -> Int {
        guard let maximumNumberCount else { return runEnd(text, start, classes) { $0.contains(.number) } }
        var count = 1
        return runEnd(text, start, classes) { kind in
            guard count < maximumNumberCount, kind.contains(.number) else { return false }
            count += 1
            return true
        }
    }

    private func signEnd(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ classes: ScalarClasses) -> Int {
        let end = runEnd(text, start, classes) { $0.isSign }
        return keepsNewlines ? runEnd(text, end, classes) { $0.contains(.newline) } : end
    }

    /// The end of white space: after its last line end if `keepsNewlines`. Otherwise, at the end of the text, all of
    /// it; before a word, all but its last scalar, but at least one scalar.
    private func spaceEnd(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ classes: ScalarClasses) -> Int {
        var index = start
        var last = start
        var afterNewline = start
        while index < text.count {
            let (kind, length) = classes.kind(at: index, of: text)
            guard kind.contains(.space) else { break }
            last = index
            index += length
            if kind.contains(.newline) { afterNewline = index }
        }
        if keepsNewlines, afterNewline > start { return afterNewline }
        return index == text.count || last == start ? index : last
    }

    /// `'s 't 'm 'd 're 've 'll`; if case is ignored, U+017F matches s as well (Unicode's simple case folding).
    private func contractionEnd(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
        let fold: UInt8 = ignoresCase ? 0x20 : 0
        guard start + 1 < text.count else { return nil }
        let first = text[start + 1]
        switch first | (first < 0x80 ? fold : 0) {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
        default: break
        }
        guard start + 2 < text.count else { return nil }
        let second = text[start + 2]
        switch (first | fold, second | fold) {
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return start + 3
        default: return ignoresCase && first == 0xC5 && second == 0xBF ? start + 3 : nil
        }
    }
}
