public import Tensors

/// Room for LoRA adapters beside a model (Hu et al., arXiv 2106.09685), reserved when the plan is prepared.
public struct AdapterLimits: Sendable, Hashable {
    /// Adapters that can be on the device at once.
    public let slotCount: Int
    /// The highest rank. Matrices of lower ranks are padded with zeros.
    public let rank: Int
    /// How the numbers of adapters are stored.
    public let elementType: ElementType

    public init(slotCount: Int, rank: Int, elementType: ElementType) {
        self.slotCount = slotCount
        self.rank = rank
        self.elementType = elementType
    }
}

/// A linear operation that adapters may change, and the sets that hold their matrices for it.
///
/// An adapter's part of `output = input · Wᵀ` is `up · (down · input)`. Scale factors are part of `up`.
public struct AdapterTarget: Sendable, Hashable {
    /// The checkpoint's name of the weight, such as `model.layers.0.self_attn.q_proj.weight`.
    public let weight: String
    /// The rows of that weight which this operation multiplies with; nil: all, in order.
    public let rows: [Range<Int>]?
    /// `[rank, inputSize]` for each slot.
    public let down: MatrixSetID
    /// `[outputSize, rank]` for each slot.
    public let up: MatrixSetID
}

/// A weight of the checkpoint as files of the other family of formats have it: GGUF files for a Hugging Face checkpoint, and
/// the other way round.
public struct WeightAlias: Sendable, Hashable {
    /// Its name there: `blk.0.attn_q.weight` for `model.layers.0.self_attn.q_proj.weight`.
    public let weight: String
    /// For each row of the checkpoint's matrix, the row of the other one; nil: they have the same order.
    public let rowOrder: [Int]?

    public init(weight: String, rowOrder: [Int]? = nil) {
        self.weight = weight
        self.rowOrder = rowOrder
    }
}

extension ForwardPlan {
    /// The plan with room for adapters: each linear operation over the rows of all tokens adds the product with the
    /// matrices in the slot of the row's sequence. Rows without an adapter get the same bits as without this.
    ///
    /// ```swift
    /// let limits = AdapterLimits(slotCount: 4, rank: 16, elementType: .bf16)
    /// let prepared = try backend.prepare(plan.withAdapters(limits), limits: batchLimits, pool: pool)
    /// try prepared.setAdapter([target.down: down, target.up: up], slot: 0)
    /// ```
    public func withAdapters(_ limits: AdapterLimits) -> ForwardPlan {
        var plan = self
        plan.operations = []
        for operation in operations {
            guard case .linear(let input, let weights, let bias, let output) = operation, self[output].rows == .tokens
            else {
                plan.append(operation)
                continue
            }
            let matrix = self[weights]
            let base = plan.addValue(rows: .tokens, width: self[output].width)
            let reduced = plan.addValue(rows: .tokens, width: limits.rank)
            let down = plan.addAdapterSlots("\(matrix.name) (down)", limits, limits.rank, matrix.weights.inputSize)
            let up = plan.addAdapterSlots("\(matrix.name) (up)", limits, matrix.weights.outputSize, limits.rank)
            plan.append(.linear(input: input, weights: weights, bias: bias, output: base))
            plan.append(
                .selectedLinear(input: input, set: down, bias: nil, selector: .adapters(addend: nil), output: reduced))
            plan.append(
                .selectedLinear(input: reduced, set: up, bias: nil, selector: .adapters(addend: base), output: output))
            plan.adapterTargets.append(AdapterTarget(weight: matrix.name, rows: matrix.rows, down: down, up: up))
        }
        return plan
    }

    private mutating func addAdapterSlots(
        _ name: String, _ limits: AdapterLimits, _ outputSize: Int, _ inputSize: Int
    ) -> MatrixSetID {
        addMatrixSlots(
            name,
            MatrixSlots(
                count: limits.slotCount, outputSize: outputSize, inputSize: inputSize, elementType: limits.elementType))
    }
}
