import Backends
import SharedValues
import Tensors

/// From fused steps to phases of dispatches: every step gets its kernel and its memory.
struct ProgramBuilder {
    let memory: PlanMemory
    let cache: KVCacheMemory
    let batch: BatchBuffer
    let library: KernelLibrary
    let shapes: KernelShapes
    private var hazards = HazardTracker()
    private(set) var phases: [DispatchPhase] = []

    var plan: ForwardPlan { memory.plan }
    var weights: PlanWeights { memory.weights }

    init(
        memory: PlanMemory, cache: KVCacheMemory, batch: BatchBuffer, library: KernelLibrary, shapes: KernelShapes
    ) throws(BackendError) {
        self.memory = memory
        self.cache = cache
        self.batch = batch
        self.library = library
        self.shapes = shapes
        for step in memory.steps { try append(step) }
        try reduceSamples()
    }

    private mutating func append(_ step: FusedOperation) throws(BackendError) {
        switch step {
        case .embed(let table, let scale, let output): try embed(table, scale, output)
        case .norm(let input, let weight, let epsilon, let output): try norm(input, weight, epsilon, output)
        case .addNorm(let left, let right, let sum, let weight, let epsilon, let quantized, let output):
            try addNorm(left, right, sum, weight, epsilon, quantized, output)
        case .linear(let input, let parts): try linear(input, parts)
        case .reorder(let input, let matrix, let output):
            guard let order = plan[matrix].weights.inputOrder else { preconditionFailure("columns that are in order") }
            try elementwise(.reorder, [input], output, first: [weights.order(order)], work: 0)
        case .quantize(let input, let quantized, let output): try quantize(input, quantized, output)
        case .head(let step): try head(step)
        case .attention(let layer, let query, let shape, let output, let record):
            try attention(layer, query, shape, output, record)
        case .gated(let gate, let up, let activation, let quantized, let output):
            let isGELU: UInt32 =
                switch activation {
                case .silu: 0
                case .geluTanh: 1
                }
            try elementwise(.gated, [gate, up], quantized: quantized, output, [isGELU], work: 5)
        case .add(let left, let right, let output): try elementwise(.add, [left, right], output, work: 1)
        case .gather(let input, let output):
            try elementwise(.gather, [input], output, first: [batch.range(.sampleRows)], work: 0)
        case .softCap(let input, let cap, let output):
            try elementwise(.softCap, [input], output, [cap.bitPattern], work: 3)
        }
    }

    /// Appends dispatches that do not wait for each other.
    mutating func append(_ dispatches: [Dispatch], reading: [MemoryRange], writing: [MemoryRange]) {
        phases.append(
            DispatchPhase(
                dispatches: dispatches, needsBarrier: hazards.needsBarrier(reading: reading, writing: writing)))
    }

    /// The kernel of `kind` for any number of rows.
    func kernel(
        _ kind: KernelKind, _ constants: [String: Int] = [:], bindingCount: Int
    ) throws(BackendError) -> [KernelChoice] {
        let pipeline = try library.pipeline(kind, constants: constants, bindingCount: bindingCount)
        return [KernelChoice(maxRowCount: .max, rowsPerGroup: 1, pipeline: pipeline)]
    }

    /// Stride and first column of a value, as kernels take them.
    func place(_ value: ValueID) -> [UInt32] {
        let view = memory.layout[value]
        return [UInt32(view.stride), UInt32(view.column)]
    }

    /// `work`: operations for each number. With `quantized`, the output is those.
    private mutating func elementwise(
        _ kind: KernelKind, _ inputs: [ValueID], quantized: QuantizedActivations? = nil, _ output: ValueID,
        _ constants: [UInt32] = [], first: [MemoryRange] = [], work: Int
    ) throws(BackendError) {
        let bindings = first + inputs.map { memory.range($0) } + [memory.range(output)]
        let width = plan[inputs[0]].width
        let choices: [KernelChoice]
        if let quantized {
            choices = try linearKernels.making(quantized, by: .gated)
        } else {
            choices = try kernel(kind, bindingCount: bindings.count)
        }
        let dispatch = Dispatch(
            choices: choices, bindings: bindings,
            constants: [UInt32(width)] + inputs.flatMap { place($0) } + place(output) + constants,
            rows: DispatchRows(plan[output].rows),
            groupCount: width.dividedUp(
                by: quantized == nil ? KernelShapes.elementGroup : QuantizedActivations.numbersPerGroup),
            label: "\(kind.rawValue) \(width)",
            bytesPerRow: (inputs.count * width + plan[output].width) * 4, workPerRow: work * width)
        append([dispatch], reading: inputs.map { memory.range($0) }, writing: [memory.range(output)])
    }

    private mutating func embed(_ table: MatrixID, _ scale: Float, _ output: ValueID) throws(BackendError) {
        let matrix = weights.matrix([table])
        guard plan[table].weights.inputOrder == nil else {
            throw .unsupported(operation: "embed", reason: "\(plan[table].name) has reordered columns")
        }
        let target = memory.range(output)
        let width = matrix.inputSize
        let choices: [KernelChoice]
        let before: [UInt32]
        let after: [UInt32]
        switch matrix.format {
        case .dense(let type):
            choices = try kernel(.embed, KernelShapes.weightConstants(type), bindingCount: 3)
            (before, after) = ([UInt32(width.dividedUp(by: DeviceMatrix.chunk(type)))], [])
        case .packed(let format):
            choices = try kernel(.packedEmbed, format.constants, bindingCount: 4)
            (before, after) = ([], format.groupNumbers(inputSize: width))
        }
        let dispatches = matrix.parts.map { part in
            Dispatch(
                choices: choices, bindings: [batch.range(.tokenIDs)] + part.ranges + [target],
                constants: [UInt32(width)] + place(output) + before
                    + [UInt32(part.firstRow), UInt32(part.rowCount), scale.bitPattern] + after,
                rows: .tokens, groupCount: width.dividedUp(by: KernelShapes.elementGroup),
                label: "embed \(width) \(matrix.format)",
                bytesPerRow: width * 4 + matrix.format.rowByteCount(inputSize: width), workPerRow: width)
        }
        append(dispatches, reading: [], writing: [target])
    }

    private mutating func norm(
        _ input: ValueID, _ weight: VectorID, _ epsilon: Float, _ output: ValueID
    ) throws(BackendError) {
        let groupSize = plan[weight].elements.count
        let bindings = [memory.range(input), weights.vectors, memory.range(output)]
        let dispatch = Dispatch(
            choices: try kernel(.norm, ["GROUP": shapes.normGroup], bindingCount: bindings.count),
            bindings: bindings,
            constants: [UInt32(groupSize)] + place(input) + place(output) + [
                UInt32(weights.offset(of: weight)), epsilon.bitPattern,
            ],
            rows: DispatchRows(plan[output].rows), groupCount: plan[input].width / groupSize,
            label: "norm \(plan[input].width)", bytesPerRow: plan[input].width * 8,
            workPerRow: plan[input].width * 4)
        append([dispatch], reading: [memory.range(input)], writing: [memory.range(output)])
    }

    private mutating func addNorm(
        _ left: ValueID, _ right: ValueID, _ sum: ValueID, _ weight: VectorID, _ epsilon: Float,
        _ quantized: QuantizedActivations?, _ output: ValueID
    ) throws(BackendError) {
        let sources = [memory.range(left), memory.range(right)]
        let targets = [memory.range(sum), memory.range(output)]
        let width = plan[sum].width
        let choices: [KernelChoice]
        if let quantized {
            choices = try linearKernels.making(quantized, by: .addNorm(width: width))
        } else {
            choices = try kernel(.addNorm, shapes.normConstants(width: width), bindingCount: 5)
        }
        let dispatch = Dispatch(
            choices: choices, bindings: sources + [weights.vectors] + targets,
            constants: [UInt32(width)] + place(left) + place(right) + place(sum) + place(output) + [
                UInt32(weights.offset(of: weight)), epsilon.bitPattern,
            ],
            rows: DispatchRows(plan[output].rows), groupCount: shapes.normCut(width: width).partCount,
            label: "add and norm \(width)",
            bytesPerRow: (width * 3 + plan[output].width) * 4, workPerRow: width * 5)
        append([dispatch], reading: sources, writing: targets)
    }

    var linearKernels: LinearKernels { LinearKernels(library: library, shapes: shapes) }
}
