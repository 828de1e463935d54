extension DeviceOperation {
    /// The values it reads.
    public var inputs: [ValueID] { values.inputs }

    /// The value it writes; nil where it writes to the cache.
    public var output: ValueID? { values.output }

    /// The cache layer that it reads or writes.
    public var cacheLayer: Int? {
        switch self {
        case .writeKV(let layer, _, _), .pagedAttention(let layer, _, _, _): layer
        default: nil
        }
    }

    private var values: (inputs: [ValueID], output: ValueID?) {
        switch self {
        case .embed(_, _, _, let output): ([], output)
        case .rmsNorm(let input, _, _, let output): ([input], output)
        case .layerNorm(let input, _, _, _, _, let output): ([input], output)
        case .linear(let input, _, _, let output): ([input], output)
        case .route(let logits, _, _, _, let output): ([logits], output)
        case .selectedLinear(let input, _, _, let selector, let output): ([input] + selector.inputs, output)
        case .weightedSum(let input, let routes, let output): ([input, routes], output)
        case .rotaryEmbedding(let input, _, _, let output): ([input], output)
        case .writeKV(_, let key, let value): ([key, value], nil)
        case .pagedAttention(_, let query, _, let output): ([query], output)
        case .gatedActivation(let gate, let up, _, let output): ([gate, up], output)
        case .activation(let input, _, let output): ([input], output)
        case .scale(let input, _, let output): ([input], output)
        case .positionScale(let input, _, _, let output): ([input], output)
        case .slice(let input, _, let output): ([input], output)
        case .concatHeads(let first, let second, _, let output):
            ([first.input] + (second.map { [$0.input] } ?? []), output)
        case .add(let left, let right, let output): ([left, right], output)
        case .gather(let input, let output): ([input], output)
        case .softCap(let input, _, let output): ([input], output)
        }
    }
}
