/// The normalization of text before it is split into words: steps that each change the whole text.
struct TextNormalizer: Sendable {
    enum Step: Sendable {
        /// A Unicode normalization form (UAX #15).
        case form(UnicodeForm)
        case lowercase
        /// Removes white space at the beginning and at the end.
        case strip(left: Bool, right: Bool)
        /// Removes combining marks.
        case stripAccents
        /// Puts a text before a text that is not empty.
        case prepend([UInt8])
        case replace(TextPattern, with: [UInt8])
        /// The table of a SentencePiece model.
        case charsMap(PrecompiledCharsMap)
        /// SentencePiece's cleaning of control characters and spaces.
        case nmt
        /// Writes each byte as its character in the byte-level alphabet.
        case byteLevel
    }

    /// A text that replaces another one.
    struct Result {
        var text: [UInt8]
        /// Whether the first character of the original text is still the first one, perhaps changed.
        var keepsStart = true
    }

    let steps: [Step]

    static let identity = TextNormalizer(steps: [])

    /// `text`, which is valid UTF-8, normalized; nil: nothing changes.
    func normalize(_ text: ArraySlice<UInt8>, _ workspace: TokenizerWorkspace) -> Result? {
        guard !steps.isEmpty, !text.isEmpty else { return nil }
        if steps.count == 1, case .form(.nfc) = steps[0], !UnicodeForm.nfc.mayChange(text) { return nil }
        var result = Result(text: Array(text))
        for step in steps where !result.text.isEmpty { apply(step, &result, workspace) }
        return result
    }

    private func apply(_ step: Step, _ result: inout Result, _ workspace: TokenizerWorkspace) {
        switch step {
        case .form(let form):
            if form.mayChange(result.text[...]) { result.text = form.apply(result.text) }
        case .lowercase:
            guard result.text.contains(where: { $0 >= 0x80 || (0x41...0x5A).contains($0) }) else { return }
            result.text = Self.mapped(result.text) { $0.properties.lowercaseMapping.unicodeScalars }
        case .strip(let left, let right): Self.strip(&result, left: left, right: right)
        case .stripAccents:
            let first = String(decoding: result.text, as: UTF8.self).unicodeScalars.first
            if let first, Self.isCombiningMark(first) { result.keepsStart = false }
            result.text = Self.mapped(result.text) { Self.isCombiningMark($0) ? .init() : .init([$0]) }
        case .prepend(let prefix): result.text = prefix + result.text
        case .replace(let pattern, let replacement): Self.replace(pattern, replacement, &result, workspace)
        case .charsMap(let map): result.text = map.apply(result.text)
        case .nmt: result.text = Self.mapped(result.text, NMTCleaning.replacement)
        case .byteLevel: result.text = ByteLevelAlphabet.shared.encode(result.text)
        }
    }

    static func mapped(
        _ text: [UInt8], _ replacement: (Unicode.Scalar) -> String.UnicodeScalarView
    ) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            for scalar in replacement(scalar) { result.append(contentsOf: UTF8.encode(scalar) ?? .init()) }
        }
        return result
    }

    /// As in `tokenizers`, whose marks are those of an old Unicode version; three scalars have another category since.
    private static func isCombiningMark(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.isAssigned(in: UnicodeVersion.normalization) else { return false }
        switch (scalar.properties.generalCategory, scalar.value) {
        case (_, 0x1CF2), (_, 0x1CF3): return true
        case (_, 0x111C9): return false
        case (.nonspacingMark, _), (.spacingMark, _), (.enclosingMark, _): return true
        default: return false
        }
    }

    private static func strip(_ result: inout Result, left: Bool, right: Bool) {
        var (start, end) = (0, result.text.count)
        let text = result.text[...]
        while left, let scalar = TextBoundary.scalar(at: start, in: text), scalar.properties.isWhitespace {
            start += UTF8.width(scalar)
        }
        while right, end > start, let scalar = TextBoundary.scalar(before: end, in: text),
            scalar.properties.isWhitespace
        {
            end -= UTF8.width(scalar)
        }
        if start > 0 { result.keepsStart = false }
        if start > 0 || end < result.text.count { result.text = Array(text[start..<end]) }
    }

    private static func replace(
        _ pattern: TextPattern, _ replacement: [UInt8], _ result: inout Result, _ workspace: TokenizerWorkspace
    ) {
        var replaced: [UInt8] = []
        var done = 0
        result.text.withUnsafeBufferPointer { text in
            pattern.forEachMatch(in: text, workspace) { range in
                if done == 0 { replaced.reserveCapacity(text.count + text.count / 8) }
                replaced.append(contentsOf: text[done..<range.lowerBound])
                replaced.append(contentsOf: replacement)
                // Of several replaced characters, the last one's position counts.
                if range.lowerBound == 0, range.count > UTF8Scalar.value(at: 0, of: text).length {
                    result.keepsStart = false
                }
                done = range.upperBound
            }
            if done > 0 { replaced.append(contentsOf: text[done...]) }
        }
        if done > 0 { result.text = replaced }
    }
}

/// The cleaning of SentencePiece's rule `nmt` (`Nmt` in `tokenizers`).
private enum NMTCleaning {
    static func replacement(_ scalar: Unicode.Scalar) -> String.UnicodeScalarView {
        switch scalar.value {
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: .init()
        case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: .init([" "])
        default: .init([scalar])
        }
    }
}
