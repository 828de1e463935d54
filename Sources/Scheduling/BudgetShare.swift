/// How a step's token budget is shared between the requests that run and new prompts.
public struct BudgetShare: Sendable, Hashable {
    /// Tokens that prompts, running or new, take at most in this step: long ones then leave answers flowing.
    public var promptTokenCount: Int
    /// Tokens that running requests leave to new ones.
    public var reservedTokenCount: Int

    /// Running requests first, new ones with what is left (Sarathi-Serve, OSDI'24, with no limit of its own).
    public static let runningFirst = BudgetShare(promptTokenCount: .max, reservedTokenCount: 0)

    /// The two as given; the scheduler brings them into range.
    public init(promptTokenCount: Int, reservedTokenCount: Int) {
        self.promptTokenCount = promptTokenCount
        self.reservedTokenCount = reservedTokenCount
    }

    /// The same share, with at least one token for whoever comes first: no share can stop the engine.
    func clamped(to budget: Int) -> BudgetShare {
        BudgetShare(
            promptTokenCount: min(max(promptTokenCount, 1), budget),
            reservedTokenCount: min(max(reservedTokenCount, 0), budget - 1))
    }
}
