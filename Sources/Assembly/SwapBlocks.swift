import Backends
import EngineConfig

/// The swap space of a configuration.
struct SwapBlocks {
    /// Number of blocks; 0: there is no swap space.
    let count: Int
    /// The host memory of the blocks.
    let pool: MemoryPool

    /// The blocks of `layout` that fit into `cache.swap_space`, or `cache.num_swap_blocks`. Throws where the host has less
    /// memory free, without the `promisedByteCount` bytes that the cache will take.
    init(
        _ configuration: EngineConfiguration, _ layout: CacheLayout, promisedByteCount: Int, device: any Backend
    ) throws(AssemblyError) {
        let cache = configuration.cache
        count = cache.numSwapBlocks ?? cache.swapSpace / max(layout.blockByteCount, 1)
        // Each range is rounded up.
        let budget = count * layout.blockByteCount + layout.alignmentByteCount
        let available = max(0, HostMachine.freeByteCount() - promisedByteCount)
        guard count == 0 || budget <= available else {
            throw .configuration(
                configuration.error(
                    at: cache.numSwapBlocks == nil ? "cache.swap_space" : "cache.num_swap_blocks",
                    expected: "at most the \(available) bytes that the host has free", found: "\(budget) bytes"))
        }
        pool = MemoryPool(device: device, budgetByteCount: budget)
    }
}
