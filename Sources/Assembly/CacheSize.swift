import EngineConfig

/// How large a model's cache shall be.
enum CacheSize {
    /// A fixed number of blocks, from the file or set by a command.
    case blocks(Int)
    /// The blocks that fit into so many bytes.
    case bytes(Int)
    /// What weights and scratch memory leave of a fraction of the free memory.
    case rest(of: Double)
    /// The default in the host's memory, which other programs need too: `hostByteCount`, and no more than half of what weights
    /// and scratch memory leave.
    case defaultOfHost

    /// The default size of a cache in the host's memory; vLLM's default on a CPU.
    static let hostByteCount = 4 << 30
    /// The default fraction of the free memory for a model and its cache.
    static let defaultFraction = 0.9

    /// The size that `cache` sets, or the default for the host's memory or a device's own. `numBlocks` comes first, as
    /// commands set it over a file that gives bytes.
    init(_ cache: CacheSection, isHostMemory: Bool) {
        self =
            if let count = cache.numBlocks {
                .blocks(count)
            } else if let byteCount = cache.memory {
                .bytes(byteCount)
            } else if let fraction = cache.memoryUtilization {
                .rest(of: fraction)
            } else {
                isHostMemory ? .defaultOfHost : .rest(of: Self.defaultFraction)
            }
    }

    /// The fraction of the device's free memory that the model and its cache may take; all of it where the size is fixed.
    var fraction: Double {
        switch self {
        case .blocks, .bytes: 1
        case .rest(let fraction): fraction
        case .defaultOfHost: Self.defaultFraction
        }
    }

    /// The number of blocks where `available` bytes of `device` are left and `fitting` blocks fit into a number of bytes. A
    /// default size has no more than `useful` blocks, and in the host's memory `needed` ones even where those take more than
    /// `hostByteCount`. Throws where the blocks do not fit, or none does.
    func blockCount(
        available: Int, useful: Int, needed: Int = 0, device: String, fitting: (Int) -> Int
    ) throws(AssemblyError) -> Int {
        let (count, room) =
            switch self {
            case .blocks(let count): (count, available)
            case .bytes(let byteCount): (fitting(byteCount), byteCount)
            case .rest: (min(fitting(available), useful), available)
            case .defaultOfHost:
                (min(fitting(available / 2), useful, max(fitting(Self.hostByteCount), needed)), available / 2)
            }
        guard room <= available else {
            throw .device("cache.memory: \(room) bytes do not fit into the \(available) that are left of \(device)")
        }
        guard count > 0, count <= fitting(room) else {
            throw .device(
                "the cache needs \(max(count, 1)) blocks, \(fitting(room)) fit into \(room) bytes of \(device)")
        }
        return count
    }

    /// The size of the cache, and which key of the configuration changes it: for the log.
    func explanation(_ memory: DeviceMemory) -> String {
        let size =
            "the cache takes \(memory.cacheByteCount) bytes and holds \(memory.cacheTokenCount) tokens"
        return switch self {
        case .blocks: "\(size), as cache.num_blocks or the command says"
        case .bytes: "\(size), as cache.memory says"
        case .rest: "\(size); cache.memory_utilization and cache.memory change that"
        case .defaultOfHost:
            "\(size): by default at most \(Self.hostByteCount) bytes of the host's memory, and half of what is free; "
                + "cache.memory changes that"
        }
    }
}
