public import Benchmarking
public import SharedValues

/// What an engine did under load, and what it allocated on its device.
public struct LoadFigures: Sendable, Hashable, Codable {
    /// One entry for each number of requests at once.
    public var batches: [BatchFigures]
    /// The engine's memory.
    public var memory: MemoryFigures

    public init(batches: [BatchFigures], memory: MemoryFigures) {
        self.batches = batches
        self.memory = memory
    }
}

/// What an engine allocated on its device, in bytes.
public struct MemoryFigures: Sendable, Hashable, Codable {
    /// The device's own name.
    public var deviceName = ""
    /// The configuration's limit for all of it.
    public var budget = 0
    /// The weights as the device keeps them.
    public var weights = 0
    /// Activations and the like.
    public var scratch = 0
    /// Keys and values, taken at start-up.
    public var cache = 0
    /// Keys and values of one block.
    public var block = 0
    /// The cache groups, each of which takes blocks of its own for a token.
    public var groups = [CacheGroup(blockSize: 1)]
    /// Maximum loss to alignment.
    public var alignment = 0
    /// Maximum number of blocks that the device can address.
    public var addressableBlockCount = Int.max
    /// Peak resident memory of the process; 0 where it is not known.
    public var peakResident = 0

    public init() {}

    /// Blocks that fit beside weights and scratch into `budget` bytes.
    func blockCount(budget: Int) -> Int {
        let left = max(0, budget - weights - scratch - alignment)
        return min(left / max(block, 1), addressableBlockCount)
    }

    /// Bytes of the keys and values of one token.
    var tokenByteCount: Int { block * groups.stretch.blockCount / groups.stretch.tokenCount }

    /// Tokens whose keys and values fit into `budget` bytes beside weights and scratch.
    public func tokenCapacity(budget: Int) -> Int {
        groups.tokenCount(inBlocks: blockCount(budget: budget))
    }

    /// How many requests of `tokenCount` tokens fit at once.
    public func requestCapacity(budget: Int, tokenCount: Int) -> Int {
        let blocks = groups.maximumBlockCount(forTokens: tokenCount, chunkTokenCount: 1)
        return blockCount(budget: budget) / max(1, blocks)
    }
}
