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
    /// Requests whose keys and values wait in the swap space.
    public var swappedCount = 0
    /// Blocks of the swap space in all.
    public var swapBlockCount = 0
    /// Blocks of it that no request references.
    public var freeSwapBlockCount = 0
    /// Admissions since the start, those after preemptions included.
    public var admissionCount = 0
    /// Preemptions since the start.
    public var preemptionCount = 0
    /// Those of them that moved to the swap space.
    public var swapOutCount = 0
    /// Tokens that they took there.
    public var swappedOutTokenCount = 0
    /// Blocks moved to the swap space since the start, for preemptions and as cached prefixes.
    public var movedOutBlockCount = 0
    /// Blocks brought back since the start.
    public var movedInBlockCount = 0
    /// Blocks copied on the device since the start, as two requests were about to differ in them.
    public var copiedBlockCount = 0
    /// Requests that the policy refused since the start.
    public var rejectionCount = 0
    /// Tokens computed again since the start because a preemption had thrown them away.
    public var recomputedTokenCount = 0
    /// Tokens of admitted requests that were looked up in the prefix cache since the start.
    public var prefixQueryCount = 0
    /// Those of them that were found.
    public var prefixHitCount = 0
    /// Those of these that had to be brought back from the swap space.
    public var swappedPrefixHitCount = 0
    /// What the policy failed to decide.
    public var policyFailures = PolicyFailures()

    /// All zero.
    public init() {}

    /// Tokens found in the prefix cache, on the device.
    public var devicePrefixHitCount: Int { prefixHitCount - swappedPrefixHitCount }

    /// Part of the blocks that requests reference, 0 to 1.
    public var cacheUsage: Double { blockCount == 0 ? 0 : 1 - Double(freeBlockCount) / Double(blockCount) }

    /// Part of the swap space that requests reference, 0 to 1.
    public var swapUsage: Double {
        swapBlockCount == 0 ? 0 : 1 - Double(freeSwapBlockCount) / Double(swapBlockCount)
    }
}
