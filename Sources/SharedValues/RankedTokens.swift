/// The most likely tokens of one row of logits, best first, equal ones by id, and two sums over the whole row: what a
/// device may send instead of the row. Borrows its memory.
public struct RankedTokens {
    /// The tokens that a device finds in a row, and that a draw looks at before all others.
    public static let maximumCount = 64

    public let tokens: UnsafeBufferPointer<Int32>
    /// One for each of `tokens`.
    public let logits: UnsafeBufferPointer<Float>
    /// `sum(exp(logit - largest))` over the whole row.
    public let sum: Float
    /// `sum(exp((logit - largest) / temperature))` over the whole row.
    public let temperedSum: Float
    /// Logits in the whole row.
    public let vocabularySize: Int

    /// Precondition: as many tokens as logits, at least one.
    public init(
        tokens: UnsafeBufferPointer<Int32>, logits: UnsafeBufferPointer<Float>, sum: Float, temperedSum: Float,
        vocabularySize: Int
    ) {
        precondition(tokens.count == logits.count && !tokens.isEmpty, "ranked tokens without logits")
        self.tokens = tokens
        self.logits = logits
        self.sum = sum
        self.temperedSum = temperedSum
        self.vocabularySize = vocabularySize
    }

    /// Whether the row has no other tokens.
    public var isWhole: Bool { tokens.count == vocabularySize }
}
