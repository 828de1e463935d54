import Backends
import Tensors

/// How kernels are cut for a device: sizes of workgroups and what an invocation does. Chosen by the device and the
/// model alone, never by the batch, so that a row's sums are formed in one order always.
struct KernelShapes {
    let capabilities: DeviceCapabilities

    /// Invocations of a workgroup that turns a head.
    static let headGroup = 32
    /// Invocations of a workgroup that looks for the most likely tokens; every device takes as many.
    static let candidateGroup = 128
    /// Numbers of a row that a workgroup of an element-wise kernel takes.
    static let elementGroup = 64

    /// Invocations of a workgroup of the attention, and positions that it looks at together.
    static let attentionGroup = 64

    init(_ capabilities: DeviceCapabilities) { self.capabilities = capabilities }

    /// Invocations of a workgroup that norms a row, a power of two. Each has several numbers of it.
    var normGroup: Int { capabilities.isProcessor || capabilities.maxInvocationCount < 512 ? 128 : 512 }

    /// Positions whose scores are summed up before sums are folded. A GPU needs many more workgroups than there are
    /// heads, so it shares out short contexts as well.
    var attentionPartition: Int { capabilities.isProcessor ? 256 : Self.attentionGroup }

    /// How a row of `width` numbers is normed: pieces of it, four numbers for each invocation, and workgroups that share
    /// them. Each of these reads all of the row, which costs a processor more than it gains.
    func normCut(width: Int) -> (pieceCount: Int, partCount: Int) {
        let count = width.dividedUp(by: 4 * normGroup)
        return (count, capabilities.isProcessor ? 1 : count)
    }

    /// The constants of an addition with the norm of its sum.
    func normConstants(width: Int) -> [String: Int] {
        let cut = normCut(width: width)
        return ["GROUP": normGroup, "PIECES_OF_ROW": cut.pieceCount, "PARTS": cut.partCount]
    }

    /// Units of values that an invocation of the attention loads at once.
    var valuesAhead: Int { capabilities.isProcessor ? 4 : 16 }

    /// The same for keys of `unitCount` units, of which it is a whole part.
    func keysAhead(unitCount: Int) -> Int {
        min(capabilities.isProcessor ? 4 : 8, 1 << unitCount.trailingZeroBitCount)
    }

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
        let unit = headSize % 4 == 0 ? 4 : 2
        guard headSize % 2 == 0, headSize / unit <= Self.attentionGroup else {
            throw .unsupported(
                operation: "pagedAttention", reason: "heads of \(headSize) numbers; even ones to 256 are")
        }
        // Queries, weights and two largest scores of each row, and the slots of a tile.
        func fits(_ rows: Int) -> Bool {
            let row = headSize / unit * 16 + Self.attentionGroup * 4 + 8
            return rows * row + Self.attentionGroup * 4 <= capabilities.sharedMemoryByteCount
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

    /// How the search for the most likely tokens among `width` is cut: numbers in a segment, and segments.
    struct Segments: Hashable {
        let size: Int
        let count: Int
    }

    /// As many segments as the merge of their best can take at once, or fewer that are worth a workgroup.
    static func segments(width: Int) -> Segments {
        let size = max(1024, width.dividedUp(by: 64).roundedUp(to: candidateGroup))
        return Segments(size: size, count: width.dividedUp(by: size))
    }

    /// The constants of a search among `itemCount` numbers.
    static func candidateConstants(itemCount: Int) -> [String: Int] {
        [
            "GROUP": candidateGroup, "ITEMS": itemCount.dividedUp(by: candidateGroup),
            "COUNT": RowCandidates.maxCount,
        ]
    }

    /// Whether the device looks for the most likely tokens. Where it is the host's processor, that would only be a
    /// slower way of doing it there.
    var reducesSamples: Bool { !capabilities.isProcessor }

    /// The constants that say how a cache of `type` is stored.
    static func cacheConstants(_ type: CacheType) -> [String: Int] {
        ["CACHE_BITS": (type.elementType?.byteCount ?? 1) * 8, "CACHE_IS_BFLOAT": type == .bf16 ? 1 : 0]
    }
}
