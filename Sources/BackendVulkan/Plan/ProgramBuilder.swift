import Backends
import Lowering

/// From fused operations to phases of dispatches. The functions that dispatch a kernel stand beside it, in `Kernels`.
struct ProgramBuilder {
    let memory: PlanMemory
    let cache: KVCacheMemory
    let batch: BatchBuffer
    let library: KernelLibrary
    let shapes: KernelShapes
    private var hazards = HazardTracker()
    private(set) var phases: [DispatchPhase] = []
    /// What `memory.groups` holds.
    var grouped: GroupedRows?

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
        for stage in memory.stages {
            if case .selectedLinear(_, _, _, .adapters, _)? = stage.first {
                try adapterLinears(stage)
            } else {
                for operation in stage { try append(operation) }
            }
        }
        try reduceSamples()
    }

    private mutating func append(_ operation: FusedOperation) throws(BackendError) {
        switch operation {
        case .embed(let table, let index, let scale, let output): try embed(table, index, scale, output)
        case .norm(let input, let weight, let epsilon, let output): try norm(input, weight, epsilon, output)
        case .layerNorm(let input, let weight, let bias, let groupSize, let epsilon, let output):
            try layerNorm(input, weight, bias, groupSize, epsilon, output)
        case .addNorm(let left, let right, let sum, let weight, let epsilon, let quantized, let output):
            try addNorm(left, right, sum, weight, epsilon, quantized, output)
        case .linear(let input, let parts): try linear(input, parts)
        case .route(let logits, let bias, let factors, let routing, let output):
            try route(logits, bias, factors, routing, output)
        case .selectedLinear(let input, let set, let bias, .routes(let routes), let output):
            try selectedLinear(input, set, bias, routes, output)
        case .selectedLinear(_, _, _, .adapters, _): try adapterLinears([operation])
        case .weightedSum(let input, let routes, let output): try weightedSum(input, routes, output)
        case .reorder(let input, let matrix, let output): try reorder(input, matrix, output)
        case .convert(let input, let partCount, _, let quantized, let output):
            try quantize(input, partCount: partCount, quantized, output)
        case .head(let pass): try head(pass)
        case .attention(let layer, let query, let shape, let output, let record):
            try attention(layer, query, shape, output, record)
        case .gated(let gate, let up, let activation, let quantized, let output):
            try gated(gate, up, activation, quantized, output)
        case .activation(let input, let function, let output): try activation(input, function, output)
        case .scale(let input, let factor, let output): try scale(input, factor, output)
        case .positionScale(let input, let scale, let output): try positionScale(input, scale, output)
        case .slice(let input, let offset, let output): try slice(input, offset, output)
        case .concatHeads(let first, let second, let headCount, let output):
            try concatHeads(first, second, headCount, output)
        case .add(let left, let right, let output): try add(left, right, output)
        case .gather(let input, let output): try gather(input, output)
        case .softCap(let input, let cap, let output): try softCap(input, cap, output)
        }
    }

    /// Appends dispatches that do not wait for each other.
    mutating func append(_ dispatches: [Dispatch], reading: [MemoryRange], writing: [MemoryRange]) {
        phases.append(
            DispatchPhase(
                dispatches: dispatches, needsBarrier: hazards.needsBarrier(reading: reading, writing: writing)))
    }

    /// `kernel` for any number of rows, a workgroup each.
    func kernels(for kernel: some Kernel) throws(BackendError) -> [DispatchKernel] {
        [DispatchKernel(maxRowCount: .max, rowsPerGroup: 1, pipeline: try library.pipeline(kernel))]
    }

    /// How the rows of `value` lie in its buffer, in numbers.
    func rowLayout(of value: ValueID) -> RowLayout {
        let view = memory.layout[value]
        return RowLayout(stride: UInt32(view.stride), offset: UInt32(view.column))
    }
}
