/// Counts for metrics and logs.
public struct SchedulerStatistics: Sendable, Hashable {
    /// Requests that hold blocks.
    public var runningCount = 0
    /// Requests that wait for their first or next admission.
    public var waitingCount = 0
    /// Blocks in all.
    public var blockCount = 0
    /// Blocks that no request references.
    public var freeBlockCount = 0
    /// Admissions since the start, those after preemptions included.
    public var admissionCount = 0
    /// Preemptions since the start.
    public var preemptionCount = 0
    /// Requests that the policy refused since the start.
    public var rejectionCount = 0
    /// Tokens computed again since the start because a preemption had thrown them away.
    public var recomputedTokenCount = 0
    /// Tokens of admitted requests that were looked up in the prefix cache since the start.
    public var prefixQueryCount = 0
    /// Those of them that were found.
    public var prefixHitCount = 0

    /// All zero.
    public init() {}

    /// Part of the blocks that requests reference, 0 to 1.
    public var cacheUsage: Double { blockCount == 0 ? 0 : 1 - Double(freeBlockCount) / Double(blockCount) }
}
