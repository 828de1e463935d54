extension DeviceOperation {
    /// The values it reads.
    public var inputs: [ValueID] {
        switch self {
        case .embed: []
        case .rmsNorm(let input, _, _, _): [input]
        case .linear(let input, _, _, _): [input]
        case .rotaryEmbedding(let input, _, _, _): [input]
        case .writeKV(_, let key, let value): [key, value]
        case .pagedAttention(_, let query, _, _): [query]
        case .gatedActivation(let gate, let up, _, _): [gate, up]
        case .add(let left, let right, _): [left, right]
        case .gather(let input, _): [input]
        case .softCap(let input, _, _): [input]
        }
    }

    /// The value it writes; nil where it writes to the cache.
    public var output: ValueID? {
        switch self {
        case .embed(_, _, let output): output
        case .rmsNorm(_, _, _, let output): output
        case .linear(_, _, _, let output): output
        case .rotaryEmbedding(_, _, _, let output): output
        case .writeKV: nil
        case .pagedAttention(_, _, _, let output): output
        case .gatedActivation(_, _, _, let output): output
        case .add(_, _, let output): output
        case .gather(_, let output): output
        case .softCap(_, _, let output): output
        }
    }

    /// The cache layer it touches.
    public var cacheLayer: Int? {
        switch self {
        case .writeKV(let layer, _, _), .pagedAttention(let layer, _, _, _): layer
        default: nil
        }
    }
}
