import EngineConfig

/// How large a model's cache shall be.
enum CacheSize {
    /// As many blocks as the file or a command says.
    case blocks(Int)
    /// What fits into so many bytes.
    case bytes(Int)
    /// What weights and scratch memory leave of a part of the free memory.
    case rest(of: Double)
    /// Where nothing is asked for and the memory is the host's, which has other uses for it: `hostByteCount`, and no more than
    /// half of what weights and scratch memory leave.
    case shareOfHost

    /// What a cache takes of the host's memory unless something else is asked for: as vLLM on a CPU.
    static let hostByteCount = 4 << 30
    /// The part of the free memory that a model and its cache take unless something else is asked for.
    static let usualShare = 0.9

    /// What `cache` asks for on a device whose memory is the host's, or its own. A command may fix the number of blocks,
    /// whatever the file says of bytes.
    init(_ cache: CacheSection, isHostMemory: Bool) {
        self =
            if let count = cache.numBlocks {
                .blocks(count)
            } else if let byteCount = cache.memory {
                .bytes(byteCount)
            } else if let share = cache.memoryUtilization {
                .rest(of: share)
            } else {
                isHostMemory ? .shareOfHost : .rest(of: Self.usualShare)
            }
    }

    /// The part of the device's free memory that the model and its cache may take: what is given, they take out of all.
    var share: Double {
        switch self {
        case .blocks, .bytes: 1
        case .rest(let share): share
        case .shareOfHost: Self.usualShare
        }
    }

    /// How many blocks that is where `available` bytes of `device` are left, into some of which `fitting` blocks fit. The
    /// rest of the memory is not taken for more than `useful` ones, and the host's for `needed` ones in any case. Throws where
    /// they do not fit, or none does.
    func blockCount(
        available: Int, useful: Int, needed: Int = 0, device: String, fitting: (Int) -> Int
    ) throws(AssemblyError) -> Int {
        let (count, room) =
            switch self {
            case .blocks(let count): (count, available)
            case .bytes(let byteCount): (fitting(byteCount), byteCount)
            case .rest: (min(fitting(available), useful), available)
            case .shareOfHost:
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

    /// What the cache takes, and which key of the configuration changes that: for the log.
    func explanation(_ memory: DeviceMemory) -> String {
        let size =
            "the cache takes \(memory.cacheByteCount) bytes and holds \(memory.blockCount * memory.blockSize) tokens"
        return switch self {
        case .blocks: "\(size), as cache.num_blocks or the command says"
        case .bytes: "\(size), as cache.memory says"
        case .rest: "\(size); cache.memory_utilization and cache.memory change that"
        case .shareOfHost:
            "\(size): by default at most \(Self.hostByteCount) bytes of the host's memory, and half of what is free; "
                + "cache.memory changes that"
        }
    }
}
