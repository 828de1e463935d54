import Backends
import SharedValues
import Tensors

extension KernelShapes {
    /// Positions of a context that a workgroup of the attention looks at together.
    static let attentionTile = 64

    /// Positions whose scores are summed up before sums are folded. A GPU needs many more workgroups than there are
    /// heads, so it shares out short contexts as well.
    var attentionPartition: Int { capabilities.isProcessor ? 256 : Self.attentionTile }

    /// How the queries of an attention are shared out.
    struct Attention: Hashable {
        /// Numbers that an invocation reads at once.
        let unit: Int
        /// Query heads, of those that read the same keys and values, in a workgroup.
        let heads: Int
        /// Rows of a chunk in a workgroup.
        let rowsPerTile: Int
    }

    /// The cut for heads of `headSize` numbers, `group` of which read the same keys and values. Throws `unsupported`
    /// where the head is odd or too large.
    func attention(headSize: Int, group: Int) throws(BackendError) -> Attention {
        let unit = Self.unit(headSize: headSize)
        guard headSize % 2 == 0, headSize / unit <= Self.attentionTile else {
            throw .unsupported(
                operation: "pagedAttention", reason: "heads of \(headSize) numbers; even ones to 256 are")
        }
        func fits(_ rows: Int) -> Bool {
            Self.attentionByteCount(rows: rows, headSize: headSize, unit: unit) <= capabilities.sharedMemoryByteCount
        }
        // More rows would not fit an invocation's registers.
        let wanted = 16
        var heads = min(group, wanted)
        while heads > 1, !fits(heads) { heads = heads.dividedUp(by: 2) }
        var queries = max(1, wanted / heads)
        while queries > 1, !fits(queries * heads) { queries -= 1 }
        guard fits(heads * queries) else {
            throw .unsupported(
                operation: "pagedAttention",
                reason: "heads of \(headSize) numbers need more than \(capabilities.sharedMemoryByteCount) bytes of "
                    + "shared memory")
        }
        return Attention(unit: unit, heads: heads, rowsPerTile: queries)
    }

    /// The constants of an attention that is cut like this, for `queries` rows of a sequence at once.
    func constants(
        of cut: Attention, queries: Int, headSize: Int, cache: CacheType
    ) -> [String: Int] {
        let isStaged = isStaged(rows: queries * cut.heads, headSize: headSize, unit: cut.unit, cache: cache)
        let unitCount = headSize / cut.unit
        // Without shared memory between, a GPU has to wait for memory less often than it has to in a short program. A
        // processor gains nothing by either, and compiles longer.
        let (keys, values) = capabilities.isProcessor ? (1, 1) : isStaged ? (4, 4) : (8, 16)
        return Self.cacheConstants(cache).merging([
            "GROUP": attentionGroup, "TILE": Self.attentionTile, "PARTITION": attentionPartition,
            "IS_STAGED": isStaged ? 1 : 0, "KEYS_AHEAD": min(keys, 1 << unitCount.trailingZeroBitCount),
            "VALUES_AHEAD": values, "HEAD_SIZE": headSize, "UNIT": cut.unit, "HEADS": cut.heads, "QUERIES": queries,
        ]) { $1 }
    }

    /// The constants of the reduction of an attention.
    static func reduceConstants(headSize: Int) -> [String: Int] {
        ["GROUP": headGroup, "HEAD_SIZE": headSize, "UNIT": unit(headSize: headSize)]
    }

    /// Numbers of a head that an invocation reads at once.
    private static func unit(headSize: Int) -> Int { headSize % 4 == 0 ? 4 : 2 }

    /// Invocations of a workgroup of the attention. A GPU's run side by side, so several have a position of the tile,
    /// each for some rows.
    private var attentionGroup: Int {
        let wanted = 4 * Self.attentionTile
        return !capabilities.isProcessor && capabilities.maxInvocationCount >= wanted ? wanted : Self.attentionTile
    }

    /// Whether a tile's keys and values go through shared memory. A processor's is memory like any other.
    private func isStaged(rows: Int, headSize: Int, unit: Int, cache: CacheType) -> Bool {
        guard !capabilities.isProcessor else { return false }
        // As in `cache.glsl`; then odd.
        let words = (cache == .int8 ? headSize.dividedUp(by: 4) + 1 : headSize / unit) | 1
        let wordByteCount = cache.elementType.map { unit * $0.byteCount } ?? 4
        return Self.attentionByteCount(rows: rows, headSize: headSize, unit: unit)
            + Self.attentionTile * words * wordByteCount <= capabilities.sharedMemoryByteCount
    }

    /// Shared memory for queries, weights and two largest scores of each row, and for the places of a tile.
    private static func attentionByteCount(rows: Int, headSize: Int, unit: Int) -> Int {
        rows * (headSize / unit * 16 + attentionTile * 4 + 8) + attentionTile * 4
    }
}
