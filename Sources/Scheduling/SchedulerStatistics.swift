public import Requests

/// Counts for metrics and logs.
public struct SchedulerStatistics: Sendable, Hashable {
    /// Requests that hold blocks.
    public var runningCount = 0
    /// Requests that wait for their first or next admission.
    public var waitingCount = 0
    /// All blocks of the device.
    public var blockCount = 0
    /// Blocks that no request references.
    public var freeBlockCount = 0
    /// Requests whose keys and values are in the swap space.
    public var swappedCount = 0
    /// All blocks of the swap space.
    public var swapBlockCount = 0
    /// Blocks of it that no request references.
    public var freeSwapBlockCount = 0
    /// Admissions since the start, those after preemptions included.
    public var admissionCount = 0
    /// Preemptions since the start.
    public var preemptionCount = 0
    /// Preemptions that moved a request to the swap space.
    public var swapOutCount = 0
    /// Computed tokens that those requests had.
    public var swappedOutTokenCount = 0
    /// Blocks moved to the swap space since the start, for preemptions and as cached prefixes.
    public var movedOutBlockCount = 0
    /// Blocks brought back since the start.
    public var movedInBlockCount = 0
    /// Blocks copied on the device since the start, because two requests were about to write different tokens.
    public var copiedBlockCount = 0
    /// Requests that the policy refused since the start.
    public var rejectionCount = 0
    /// Tokens computed again since the start because a preemption had dropped them.
    public var recomputedTokenCount = 0
    /// Tokens of admitted requests that were looked up in the prefix cache since the start.
    public var prefixQueryCount = 0
    /// Those of them that were found.
    public var prefixHitCount = 0
    /// Those of the found tokens that were in the swap space only.
    public var swappedPrefixHitCount = 0
    /// The adapters of running requests, and those of waiting ones.
    public var runningAdapters: [AdapterID] = []
    public var waitingAdapters: [AdapterID] = []
    /// Adapters put into slots since the start.
    public var adapterLoadCount = 0
    /// Decisions that the policy failed to make.
    public var policyFailures = PolicyFailures()

    public init() {}

    /// Tokens found in the prefix cache, on the device.
    public var devicePrefixHitCount: Int { prefixHitCount - swappedPrefixHitCount }

    /// Fraction of the blocks that requests reference, 0 to 1.
    public var cacheUsage: Double { blockCount == 0 ? 0 : 1 - Double(freeBlockCount) / Double(blockCount) }

    /// Fraction of the swap space that requests reference, 0 to 1.
    public var swapUsage: Double {
        swapBlockCount == 0 ? 0 : 1 - Double(freeSwapBlockCount) / Double(swapBlockCount)
    }
}
