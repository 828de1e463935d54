/// How much one rendering may take. Templates come with models and are not trusted.
public struct TemplateLimits: Sendable, Equatable {
    /// Expressions evaluated, statements run and elements looked at, together.
    public var stepCount: Int
    /// Bytes of the result.
    public var outputByteCount: Int
    /// Bytes of all values made on the way, even of those no longer needed.
    public var valueByteCount: Int
    /// How deeply statements, expressions and macros may nest while they run.
    public var evaluationDepth: Int
    /// How deeply lists and dictionaries may nest.
    public var valueDepth: Int
    /// Elements of a `range`; Jinja's sandbox has the same.
    public var rangeCount: Int

    /// Limits far from what templates of published models take.
    public init(
        stepCount: Int = 10_000_000, outputByteCount: Int = 32 << 20, valueByteCount: Int = 1 << 30,
        evaluationDepth: Int = 400, valueDepth: Int = 200, rangeCount: Int = 100_000
    ) {
        self.stepCount = stepCount
        self.outputByteCount = outputByteCount
        self.valueByteCount = valueByteCount
        self.evaluationDepth = evaluationDepth
        self.valueDepth = valueDepth
        self.rangeCount = rangeCount
    }
}
