import EngineConfig

/// How large a model's cache shall be.
enum CacheSize {
    /// As many blocks as the file or a command says.
    case blocks(Int)
    /// What fits into so many bytes.
    case bytes(Int)
    /// What weights and scratch memory leave of a part of the free memory.
    case rest(of: Double)

    /// What `cache` asks for. A command may fix the number of blocks, whatever the file says of bytes.
    init(_ cache: CacheSection) {
        self =
            if let count = cache.numBlocks {
                .blocks(count)
            } else if let byteCount = cache.memory {
                .bytes(byteCount)
            } else {
                .rest(of: cache.memoryUtilization)
            }
    }

    /// The part of the device's free memory that the model and its cache may take: what is given, they take out of all.
    var share: Double { if case .rest(let share) = self { share } else { 1 } }

    /// How many blocks that is where `available` bytes of `device` are left, into some of which `fitting` blocks fit. The
    /// rest of the memory is not taken for more than `useful` ones. Throws where they do not fit, or none does.
    func blockCount(
        available: Int, useful: Int, device: String, fitting: (Int) -> Int
    ) throws(AssemblyError) -> Int {
        let (count, room) =
            switch self {
            case .blocks(let count): (count, available)
            case .bytes(let byteCount): (fitting(byteCount), byteCount)
            case .rest: (min(fitting(available), useful), available)
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
}
