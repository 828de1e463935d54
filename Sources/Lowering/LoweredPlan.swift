public import Backends

/// What the passes must know of a backend: which neighbours it fuses, in which formats its matrices read their inputs,
/// and how it lays out rows.
public protocol LoweringTarget<Format> {
    /// The formats of activations beside 32-bit floats.
    associatedtype Format: Hashable & Sendable

    /// Whether one pass over heads normalises, rotates and writes them; if not, each of the three is an operation.
    var fusesHeads: Bool { get }
    /// The largest width of rows that linear operations over one input share as one matrix; 0: none are joined.
    var maxJoinedWidth: Int { get }
    /// Values that share rows begin at multiples of so many numbers.
    var joinUnit: Int { get }
    /// The distance between two rows is a multiple of so many numbers.
    var rowUnit: Int { get }
    /// The largest arena of scratch memory, in bytes.
    var maxArenaByteCount: Int { get }
    /// Whether a conversion brings inputs into another order as well; if not, a `reorder` comes before it.
    var reordersWhileConverting: Bool { get }

    /// The format in which each matrix reads its input; a matrix that is not named reads 32-bit floats.
    /// `operations` are fused already. Throws `unsupported` for weights that no kernel takes.
    func inputFormats(
        for operations: [FusedOperation<Format>], of plan: ForwardPlan
    ) throws(BackendError) -> [MatrixID: Format]

    /// The format in which the matrices of `set`, which routes select, read their input; nil: 32-bit floats. Throws
    /// `unsupported` for weights that no kernel takes. Adapters read 32-bit floats.
    func inputFormat(of set: PlanMatrixSet) throws(BackendError) -> Format?

    /// Whether several parts of a row, `partWidth` numbers each, become the same words together as one by one.
    func convertsAsOneRow(_ format: Format, partWidth: Int) -> Bool

    /// The 32-bit words of a row of `width` numbers in `format`.
    func wordCount(of format: Format, width: Int) -> Int

    /// Whether the kernel of `operation` can write its result in `format` by itself.
    func canWrite(_ format: Format, from operation: FusedOperation<Format>, of plan: ForwardPlan) -> Bool

    /// `operations` in stages that run one after another. The operations of a stage may run side by side.
    func stages(of operations: [FusedOperation<Format>], of plan: ForwardPlan) -> [[FusedOperation<Format>]]
}

extension LoweringTarget {
    public func convertsAsOneRow(_ format: Format, partWidth: Int) -> Bool { false }
}

/// A plan as one backend runs it: fused operations in stages, and the offset of every value in scratch memory.
public struct LoweredPlan<Format: Hashable & Sendable> {
    /// The plan, with the values that hold reordered and converted inputs.
    public let plan: ForwardPlan
    public let stages: [[FusedOperation<Format>]]
    public let layout: ValueLayout

    /// Lowers `plan` for `target`. All passes stand here, in their order. Throws `malformedPlan`, and what `target` throws.
    public init(
        _ plan: ForwardPlan, for target: some LoweringTarget<Format>, limits: BatchLimits
    ) throws(BackendError) {
        try plan.check()
        var plan = plan
        var operations = OperationFusion(plan, for: target).operations()
        // Formats may depend on which matrices were joined, so fusion comes first.
        let formats = try target.inputFormats(for: operations, of: plan)
        var setFormats: [MatrixSetID: Format] = [:]
        for case .selectedLinear(_, let set, _, .routes, _) in operations where setFormats[set] == nil {
            setFormats[set] = try target.inputFormat(of: plan[set])
        }
        let conversion = InputConversion(target: target, formats: formats, setFormats: setFormats)
        operations = conversion.convertingInputs(of: operations, in: &plan)
        operations = conversion.writingConverted(operations, of: plan)
        // Lives are counted in stages: what runs side by side must not share bytes.
        stages = target.stages(of: operations, of: plan)
        layout = ValueLayout(stages: stages, plan: plan, limits: limits, target: target)
        self.plan = plan
    }

    /// The operations of all stages, in order.
    public var operations: [FusedOperation<Format>] { stages.flatMap { $0 } }
}
