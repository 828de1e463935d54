import Backends
import SharedValues
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

    init(_ capabilities: DeviceCapabilities) { self.capabilities = capabilities }

    /// Invocations of a workgroup that norms a row, a power of two. Each has several numbers of it.
    var normGroup: Int { capabilities.isProcessor || capabilities.maxInvocationCount < 512 ? 128 : 512 }

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
            "COUNT": RankedTokens.maximumCount,
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
