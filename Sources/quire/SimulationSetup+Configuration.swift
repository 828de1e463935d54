import EngineConfig
import Scheduling
import SharedValues
import Simulation

extension SimulationSetup {
    /// The engine that `configuration` describes, with the cache `groups` of its model, or one that keeps all positions.
    /// Throws where the cache has no size: there is no model to take one from.
    init(_ configuration: EngineConfiguration, groups: [CacheGroup]? = nil) throws(ConfigurationError) {
        guard let blockCount = configuration.cache.numBlocks else {
            throw configuration.error(
                at: "cache.num_blocks",
                message: "needed by simulate, which has no device to measure; add it, or --set cache.num_blocks=4096")
        }
        let groups = groups ?? [CacheGroup(blockSize: configuration.cache.blockSize)]
        let capacity = groups.maximumTokenCount(
            inBlocks: blockCount, chunkTokenCount: configuration.scheduler.maxNumBatchedTokens,
            limit: configuration.model.maxModelLen ?? blockCount * configuration.cache.blockSize)
        let length = configuration.model.maxModelLen ?? capacity
        guard length <= capacity else {
            throw configuration.error(
                at: "model.max_model_len", expected: "at most the \(capacity) tokens that the cache holds",
                found: "\(length)")
        }
        let (scheduler, cost) = (configuration.scheduler, configuration.simulation)
        self.init(
            limits: SchedulerLimits(
                maxBatchedTokenCount: scheduler.maxNumBatchedTokens, maxSequenceCount: scheduler.maxNumSeqs,
                maxModelLength: length),
            blockCount: blockCount, blockSize: configuration.cache.blockSize,
            cost: StepCost(
                fixedSeconds: cost.stepMs / 1e3, promptTokenSeconds: cost.promptTokenUs / 1e6,
                sequenceSeconds: cost.sequenceUs / 1e6, contextTokenSeconds: cost.contextTokenUs / 1e6,
                moveBlockSeconds: cost.swapBlockUs / 1e6, moveTokenSeconds: cost.swapTokenUs / 1e6))
        self.groups = groups
        guard configuration.cache.swapSpace == 0 else {
            throw configuration.error(
                at: "cache.swap_space",
                message: "simulate has no model whose blocks have bytes; give cache.num_swap_blocks instead")
        }
        swapBlockCount = configuration.cache.numSwapBlocks ?? 0
        isPrefixCachingEnabled = configuration.cache.enablePrefixCaching
        maxWaitingCount = scheduler.maxWaiting
        serviceCosts = (configuration.policyOptions.promptCost, configuration.policyOptions.outputCost)
        tenantWeights = configuration.policyOptions.weights
    }
}
