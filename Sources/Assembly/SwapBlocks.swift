import Backends
import EngineConfig

/// The swap space that a configuration asks for.
struct SwapBlocks {
    /// How many blocks it holds; 0: there is none.
    let count: Int
    /// Where they come from.
    let pool: MemoryPool

    /// The blocks of `blockByteCount` bytes that fit into `cache.swap_space`, or as many as asked for. Throws where the
    /// host, which has promised `promisedByteCount` bytes already, has less memory than that.
    init(
        _ configuration: EngineConfiguration, blockByteCount: Int, layerCount: Int, promisedByteCount: Int,
        device: any Backend
    ) throws(AssemblyError) {
        let cache = configuration.cache
        count = cache.numSwapBlocks ?? cache.swapSpace / max(blockByteCount, 1)
        // Each of a layer's ranges is rounded up.
        let budget = count * blockByteCount + 2 * layerCount * MemoryPool.alignment
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
