/// Splits text into words, inside which tokens are found. A pre-tokenizer is a list of steps; each splits the words of
/// the step before it.
final class PreTokenizer: Sendable {
    enum Step: Sendable {
        /// Splits by a known regular expression.
        case pattern(SplitPattern)
        /// Splits at the matches of a pattern or, if inverted, at the text between them.
        case split(TextPattern, SplitBehavior, isInverted: Bool)
        /// Splits at each scalar of a kind.
        case scalars(ScalarKind, SplitBehavior)
        /// Adds a space before each word that does not begin with one.
        case leadingSpace
        /// SentencePiece's spaces.
        case metaspace(Metaspace)
        /// Splits after each number of scalars.
        case length(Int)
        /// Writes each byte as its character in the byte-level alphabet. Where this is the last step it is left out, and
        /// the vocabulary has bytes instead.
        case byteLevel
    }

    /// SentencePiece's spaces: a character stands for them, and one is put before a text.
    struct Metaspace: Sendable, Equatable {
        enum PrependScheme: Sendable { case always, first, never }

        var replacement: [UInt8]
        var scheme: PrependScheme
        /// Whether words begin at the replacement.
        var splits: Bool
    }

    let steps: [Step]
    private let classes = ScalarClasses.shared

    init(steps: [Step]) { self.steps = steps }

    /// Calls `body` with each word of `text`, which is valid UTF-8, in order. `isFirst`: whether `text` begins where the
    /// whole text does.
    func split(
        _ text: UnsafeBufferPointer<UInt8>, isFirst: Bool, _ workspace: TokenizerWorkspace,
        _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        split(text, isFirst: isFirst, step: 0, workspace, body)
    }

    private func split(
        _ text: UnsafeBufferPointer<UInt8>, isFirst: Bool, step: Int, _ workspace: TokenizerWorkspace,
        _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        guard !text.isEmpty else { return }
        guard step < steps.count else { return body(text) }
        func next(_ start: Int, _ end: Int) {
            split(
                UnsafeBufferPointer(rebasing: text[start..<end]), isFirst: isFirst && start == 0, step: step + 1,
                workspace, body)
        }
        func next(_ changed: [UInt8]) {
            changed.withUnsafeBufferPointer { split($0, isFirst: isFirst, step: step + 1, workspace, body) }
        }
        switch steps[step] {
        case .pattern(let pattern):
            var start = 0
            while start < text.count {
                let end = pattern.end(of: text, from: start, classes)
                next(start, end)
                start = end
            }
        case .split(let pattern, let behavior, let isInverted):
            var splitter = Splitter(behavior: behavior)
            var done = 0
            pattern.forEachMatch(in: text, workspace) { range in
                if done < range.lowerBound { splitter.add(done, range.lowerBound, isMatch: isInverted, next) }
                splitter.add(range.lowerBound, range.upperBound, isMatch: !isInverted, next)
                done = range.upperBound
            }
            if done < text.count { splitter.add(done, text.count, isMatch: isInverted, next) }
            splitter.finish(next)
        case .scalars(let kind, let behavior):
            var splitter = Splitter(behavior: behavior)
            var done = 0
            var index = 0
            while index < text.count {
                let (value, length) = UTF8Scalar.value(at: index, of: text)
                if kind.contains(value, classes) {
                    if done < index { splitter.add(done, index, isMatch: false, next) }
                    splitter.add(index, index + length, isMatch: true, next)
                    done = index + length
                }
                index += length
            }
            if done < text.count { splitter.add(done, text.count, isMatch: false, next) }
            splitter.finish(next)
        case .leadingSpace:
            if text[0] == UInt8(ascii: " ") { next(0, text.count) } else { next([UInt8(ascii: " ")] + text) }
        case .metaspace(let metaspace): splitSpaces(text, metaspace, isFirst: isFirst, step: step, workspace, body)
        case .byteLevel: next(ByteLevelAlphabet.shared.encode(text))
        case .length(let count):
            var start = 0
            while start < text.count {
                var end = start
                for _ in 0..<count where end < text.count { end += UTF8Scalar.value(at: end, of: text).length }
                next(start, end)
                start = end
            }
        }
    }

    private func splitSpaces(
        _ text: UnsafeBufferPointer<UInt8>, _ metaspace: Metaspace, isFirst: Bool, step: Int,
        _ workspace: TokenizerWorkspace, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        let replacement = metaspace.replacement
        var changed: [UInt8] = []
        changed.reserveCapacity(text.count + text.count / 2 + replacement.count)
        let hasPrefix = text.starts(with: replacement) || text[0] == UInt8(ascii: " ")
        if !hasPrefix, metaspace.scheme == .always || metaspace.scheme == .first && isFirst { changed += replacement }
        for byte in text {
            if byte == UInt8(ascii: " ") { changed += replacement } else { changed.append(byte) }
        }
        changed.withUnsafeBufferPointer { text in
            func next(_ start: Int, _ end: Int) {
                split(
                    UnsafeBufferPointer(rebasing: text[start..<end]), isFirst: isFirst && start == 0, step: step + 1,
                    workspace, body)
            }
            guard metaspace.splits else { return next(0, text.count) }
            var start = 0
            var index = 0
            while index < text.count {
                if text[index] == replacement[0], text[index...].starts(with: replacement) {
                    if index > start { next(start, index) }
                    start = index
                    index += replacement.count
                } else {
                    index += 1
                }
            }
            next(start, text.count)
        }
    }
}

/// A kind of scalars at which text is split.
enum ScalarKind: Sendable, Equatable {
    /// Rust's `char::is_numeric`.
    case numeric
    case whitespace
    /// ASCII's punctuation and symbols, and Unicode's punctuation.
    case punctuation
    case one(UInt32)

    @inline(__always)
    func contains(_ value: UInt32, _ classes: ScalarClasses) -> Bool {
        switch self {
        case .numeric: classes.kind(of: value).contains(.numeric)
        case .whitespace: classes.kind(of: value).contains(.space)
        case .punctuation: classes.kind(of: value).contains(.punctuation)
        case .one(let scalar): value == scalar
        }
    }
}

/// What becomes of the matches at which text is split.
enum SplitBehavior: Sendable, Equatable {
    case isolated, removed, contiguous, mergedWithPrevious, mergedWithNext
}

/// Joins matches and the text between them to words, one after the other.
struct Splitter {
    let behavior: SplitBehavior
    /// A word that what follows may extend.
    private var held: (start: Int, end: Int)?
    private var heldIsMatch = false

    init(behavior: SplitBehavior) { self.behavior = behavior }

    /// Adds the next part of the text, and calls `body` with the bounds of a word that is complete.
    @inline(__always)
    mutating func add(_ start: Int, _ end: Int, isMatch: Bool, _ body: (Int, Int) -> Void) {
        switch behavior {
        case .isolated: if start < end { body(start, end) }
        case .removed: if start < end, !isMatch { body(start, end) }
        case .contiguous: extend(start, end, isMatch, joins: isMatch == heldIsMatch, body)
        case .mergedWithPrevious: extend(start, end, isMatch, joins: isMatch && !heldIsMatch, body)
        case .mergedWithNext: extend(start, end, isMatch, joins: !isMatch && heldIsMatch, body)
        }
    }

    private mutating func extend(_ start: Int, _ end: Int, _ isMatch: Bool, joins: Bool, _ body: (Int, Int) -> Void) {
        if let held, joins {
            self.held = (held.start, end)
        } else {
            finish(body)
            held = (start, end)
        }
        heldIsMatch = isMatch
    }

    /// Ends the text.
    mutating func finish(_ body: (Int, Int) -> Void) {
        if let held, held.start < held.end { body(held.start, held.end) }
        held = nil
    }
}
