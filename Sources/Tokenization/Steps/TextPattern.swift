/// What a `Split` or `Replace` of a tokenizer.json looks for.
enum TextPattern: Sendable {
    /// This text, which is not empty.
    case text([UInt8])
    /// A regular expression; `matcher`: the number of its matcher in the workspace.
    case expression(PatternProgram, matcher: Int)

    /// Calls `body` with the ranges of the matches in `text`, which is valid UTF-8, in order and without overlaps.
    func forEachMatch(
        in text: UnsafeBufferPointer<UInt8>, _ workspace: TokenizerWorkspace, _ body: (Range<Int>) -> Void
    ) {
        switch self {
        case .expression(let program, let number):
            workspace.matcher(number, program).forEachMatch(in: text, body)
        case .text(let searched):
            guard let first = searched.first else { return }
            var start = 0
            while start + searched.count <= text.count {
                if text[start] == first, searched.indices.allSatisfy({ text[start + $0] == searched[$0] }) {
                    body(start..<start + searched.count)
                    start += searched.count
                } else {
                    start += 1
                }
            }
        }
    }
}

/// What the calls of `encode` of one tokenizer share. Each workspace belongs to one call at a time.
final class TokenizerWorkspace {
    private var matchers: [PatternMatcher?] = []
    let bytePairs = BytePairEncoder.Workspace()
    let unigram = UnigramEncoder.Workspace()

    init() {}

    /// The matcher with this number, which always has the same program.
    func matcher(_ number: Int, _ program: PatternProgram) -> PatternMatcher {
        while matchers.count <= number { matchers.append(nil) }
        if let matcher = matchers[number] { return matcher }
        let matcher = PatternMatcher(program)
        matchers[number] = matcher
        return matcher
    }
}
