public import Scheduling

/// The engine that is simulated: its bounds, its cache and what a step costs.
public struct SimulationSetup: Sendable {
    /// The scheduler's bounds.
    public var limits: SchedulerLimits
    /// Blocks of the cache.
    public var blockCount: Int
    /// Tokens in a block.
    public var blockSize: Int
    /// Whether equal prefixes share blocks.
    public var isPrefixCachingEnabled = true
    /// Blocks of the swap space.
    public var swapBlockCount = 0
    /// Requests that may wait; more are refused.
    public var maxWaitingCount = 4096
    /// Whether clients say how long an answer may be, and take all of it: then policies know.
    public var areOutputsLimited = false
    /// What a step costs.
    public var cost: StepCost
    /// How service is counted where tenants are compared: a prompt token, an output token.
    public var serviceCosts = (prompt: 1.0, output: 2.0)
    /// Weights of tenants where they are compared; 1 for those not named.
    public var tenantWeights: [String: Double] = [:]

    /// The engine as given. Precondition: a sequence of the greatest length fits into the blocks.
    public init(limits: SchedulerLimits, blockCount: Int, blockSize: Int, cost: StepCost) {
        self.limits = limits
        self.blockCount = blockCount
        self.blockSize = blockSize
        self.cost = cost
    }
}
