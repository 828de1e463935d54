/// A regular expression as a tree.
indirect enum PatternNode: Sendable, Equatable {
    /// One scalar of a set.
    case scalar(ScalarSet)
    /// Each in turn. Empty: the empty text.
    case sequence([PatternNode])
    /// The first that leads to a match.
    case choice([PatternNode])
    /// `minimum` to `maximum` times, as often as possible, or, if lazy, as rarely as possible.
    case repetition(PatternNode, minimum: Int, maximum: Int?, isLazy: Bool)
    /// Whether a match begins here, without consuming it.
    case lookahead(PatternNode, isNegative: Bool)
    /// Whether the scalar before is in the set. `atStart`: the result where there is none.
    case previous(ScalarSet, atStart: Bool)

    static let empty = PatternNode.sequence([])
    static let textStart = PatternNode.previous(.empty, atStart: true)
    static let textEnd = PatternNode.lookahead(.scalar(.all), isNegative: true)
    /// `^`: after a line feed, but not at the end of the text.
    static let lineStart = PatternNode.choice([
        .textStart,
        .sequence([
            .previous(UnicodeProperties.newline, atStart: false), .lookahead(.scalar(.all), isNegative: false),
        ]),
    ])
    /// `$`: before a line feed, or at the end of the text.
    static let lineEnd = PatternNode.choice([
        .lookahead(.scalar(UnicodeProperties.newline), isNegative: false), .textEnd,
    ])
    /// `\Z`: at the end of the text, or before the line feed that ends it.
    static let lastLineEnd = PatternNode.choice([
        .textEnd, .lookahead(.sequence([.scalar(UnicodeProperties.newline), .textEnd]), isNegative: false),
    ])

    /// `\b`, and `\B` if `isNegative`.
    static func wordBoundary(isNegative: Bool) -> PatternNode {
        let word = UnicodeProperties.singleWord
        let before = PatternNode.previous(word, atStart: false)
        let notBefore = PatternNode.previous(word.inverted, atStart: true)
        return .choice([
            .sequence([before, .lookahead(.scalar(word), isNegative: !isNegative)]),
            .sequence([notBefore, .lookahead(.scalar(word), isNegative: isNegative)]),
        ])
    }
}

/// Why a pattern cannot be compiled.
struct PatternError: Error, Equatable {
    /// The number of scalars of the pattern before the problem.
    let position: Int
    let reason: String
}
