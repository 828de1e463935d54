import Backends
import CPUKernels
import Tensors

/// From steps to a program: every value, weight and table gets its address.
struct ProgramBuilder {
    private let plan: ForwardPlan
    private let limits: BatchLimits
    private let pool: MemoryPool
    private let kernels: UnsafePointer<quire_kernels>
    private let packedKernels: PackedKernels
    private let weights: [PackedWeights]
    private let vectors: UnsafeMutablePointer<Float>
    private let vectorOffsets: [Int]
    private let arena: UnsafeMutableRawPointer
    private let layout: ScratchLayout
    private let orders: InputOrders
    private var anglesOf: [RotaryEmbedding: RotaryAngles] = [:]
    /// Memory that the program points into.
    private(set) var ranges: [MemoryRange]
    private(set) var program = Program()
    private let logitsValue: ValueID
    /// Where the logits will lie: not in the arena, as the caller reads them after the last step.
    let logits: MemoryRange

    init(
        plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool, kernels: UnsafePointer<quire_kernels>,
        packedKernels: PackedKernels, workers: WorkerPool
    ) throws(BackendError) {
        self.plan = plan
        self.limits = limits
        self.pool = pool
        self.kernels = kernels
        self.packedKernels = packedKernels
        var linearMatrices: Set<MatrixID> = []
        for case .linear(_, let matrix, _, _) in plan.operations { linearMatrices.insert(matrix) }

        let orders = try InputOrders(plan, matrices: linearMatrices, pool: pool)
        self.orders = orders
        var inputForms: [MatrixID: InputForm] = [:]
        for matrix in linearMatrices {
            let form = InputForm(
                numbers: Self.inputNumbers(plan[matrix].weights, kernels, packedKernels),
                order: orders.number(of: matrix))
            if form != InputForm() { inputForms[matrix] = form }
        }
        let steps = StepPlanner(plan: plan, inputForms: inputForms).steps()

        var weights: [PackedWeights] = []
        for (index, matrix) in plan.matrices.enumerated() {
            weights.append(
                try PackedWeights(
                    matrix.weights, asPanels: linearMatrices.contains { $0.index == index }, pool: pool,
                    workers: workers))
        }
        self.weights = weights

        let count = plan.vectors.reduce(0) { $0 + $1.elements.count }
        let vectorRange = try pool.allocate(byteCount: count * 4, for: .weights)
        vectors = vectorRange.start.bindMemory(to: Float.self, capacity: count)
        var offsets: [Int] = []
        var offset = 0
        for vector in plan.vectors {
            offsets.append(offset)
            for element in vector.elements {
                vectors[offset] = element
                offset += 1
            }
        }
        vectorOffsets = offsets

        layout = ScratchLayout(steps: steps, plan: plan, limits: limits)
        let arenaRange = try pool.allocate(byteCount: layout.byteCount, for: .scratch)
        arena = arenaRange.start
        ranges = weights.map(\.range) + orders.ranges + [vectorRange, arenaRange]
        guard let value = plan.logits else { preconditionFailure("a plan without logits") }
        logitsValue = value
        logits = try pool.allocate(byteCount: limits.maxSampleCount * plan[value].width * 4, for: .scratch)
        for step in steps { try append(step) }
    }

    /// What the kernel of `weights` reads.
    private static func inputNumbers(
        _ weights: LinearWeights, _ kernels: UnsafePointer<quire_kernels>, _ packedKernels: PackedKernels
    ) -> InputForm.Numbers {
        switch weights {
        case .quantized(let matrix): packedKernels.digits(for: matrix.computeType).map { .digits($0) } ?? .wide
        case .dense(let tensor):
            kernels.pointee.linear_bf16_activation == .bf16 && tensor.elementType == .bf16 ? .narrow : .wide
        }
    }

    private mutating func append(_ step: CPUStep) throws(BackendError) {
        switch step {
        case .rows(let rows, let operations):
            let first = program.rowKernels.count
            for operation in operations { program.rowKernels.append(try rowKernel(operation)) }
            program.steps.append(.rows(rows, first..<program.rowKernels.count))
        case .linears(let rows, let operations):
            let first = program.linearKernels.count
            for operation in operations { program.linearKernels.append(linearKernel(operation)) }
            program.steps.append(.linears(rows, first..<program.linearKernels.count))
        case .attention(let operation):
            let layer = plan.cacheLayers[operation.layer]
            let kernel = AttentionKernel(
                layer: operation.layer, query: UnsafePointer(wide(operation.query)), output: wide(operation.output),
                prepared: attended(operation),
                keyValueHeadCount: layer.keyValueHeadCount, headSize: layer.headSize,
                group: operation.shape.queryHeadCount / layer.keyValueHeadCount, scale: operation.shape.scale,
                softCap: operation.shape.softCap ?? 0, slidingWindow: operation.shape.slidingWindow ?? 0)
            precondition(kernel.width == plan[operation.query].width, "queries of another width than the attention's")
            program.steps.append(.attention(kernel, counter: program.attentionCount))
            program.attentionCount += 1
        }
    }

    /// Where an attention's output is wanted in another form.
    private func attended(_ operation: AttentionOperation) -> AttentionKernel.Prepared? {
        guard let form = operation.form else { return nil }
        let start = prepared(operation.output, form)
        guard case .digits(let digits) = form.numbers else {
            return .narrow(start.assumingMemoryBound(to: UInt16.self))
        }
        return .digits(start, digits, conversion: packedKernels.conversion(to: digits))
    }

    private func wide(_ value: ValueID) -> UnsafeMutablePointer<Float> {
        let start = value == logitsValue ? logits.start : arena + layout.offset(of: .wide(value))
        return start.assumingMemoryBound(to: Float.self)
    }

    private func prepared(_ value: ValueID, _ form: InputForm) -> UnsafeMutableRawPointer {
        arena + layout.offset(of: .prepared(value, form))
    }

    private func vector(_ vector: VectorID) -> UnsafePointer<Float> {
        UnsafePointer(vectors + vectorOffsets[vector.index])
    }

    private func linearKernel(_ operation: LinearOperation) -> LinearKernel {
        let weights = weights[operation.weights.index]
        precondition(
            weights.inputSize == plan[operation.input].width && weights.outputSize == plan[operation.output].width,
            "\(plan[operation.weights].name) does not fit its input or output")
        let numbers = operation.form?.numbers ?? .wide
        let input =
            operation.form.map { prepared(operation.input, $0) }
            ?? UnsafeMutableRawPointer(
                wide(operation.input))
        return LinearKernel(
            function: function(weights.layout, numbers), packed: UnsafeRawPointer(weights.range.start),
            input: UnsafeRawPointer(input), inputByteStride: numbers.byteStride(width: weights.inputSize),
            inputStride: numbers.stride(width: weights.inputSize),
            output: wide(operation.output), inputSize: weights.inputSize, outputSize: weights.outputSize,
            bias: operation.bias.map { vector($0) }, panelCount: quire_panel_count(weights.outputSize))
    }

    private func function(_ layout: PackedWeights.Layout, _ numbers: InputForm.Numbers) -> LinearKernel.Function {
        switch layout {
        case .panels(.f32): return .dense(kernels.pointee.linear_f32)
        case .panels(.f16): return .dense(kernels.pointee.linear_f16)
        case .panels(.bf16): return .dense(kernels.pointee.linear_bf16)
        case .rows: preconditionFailure("a linear operation reads panels")
        case .quantized(let matrix):
            guard case .digits(let digits) = numbers else { return .quantized(packedKernels.linear(nil), matrix) }
            return .quantized(packedKernels.linear(digits), matrix)
        }
    }

    private mutating func rowKernel(_ operation: RowOperation) throws(BackendError) -> RowKernel {
        switch operation {
        case .prepare(let value, let form):
            let (input, output, width) = (wide(value), prepared(value, form), plan[value].width)
            let order = form.order.map { orders[$0] }
            if case .digits(let digits) = form.numbers {
                return .digits(
                    RowKernel.Digits(
                        conversion: packedKernels.conversion(to: digits), input: input, output: output, width: width,
                        order: order, byteStride: form.numbers.byteStride(width: width)))
            }
            guard let order else { return .narrow(input: input, output: output, width: width) }
            return .reorder(
                RowKernel.Reorder(
                    input: input, output: output, width: width, order: order, isNarrow: form.numbers == .narrow))
        case .addNorm(let left, let right, let sum, let weight, let epsilon, let output):
            return .addNorm(
                RowKernel.AddNorm(
                    left: wide(left), right: wide(right), sum: wide(sum), output: wide(output),
                    width: plan[sum].width, weight: vector(weight), epsilon: epsilon))
        case .plan(let operation):
            return try rowKernel(operation)
        }
    }

    private mutating func rowKernel(_ operation: DeviceOperation) throws(BackendError) -> RowKernel {
        switch operation {
        case .embed(let table, let scale, let output):
            let weights = weights[table.index]
            guard plan[table].weights.inputOrder == nil else {
                throw .unsupported(operation: "embed", reason: "\(plan[table].name) has reordered columns")
            }
            return .embed(
                RowKernel.Embed(
                    layout: weights.layout, table: UnsafeRawPointer(weights.range.start), scale: scale,
                    output: wide(output), width: weights.inputSize))
        case .rmsNorm(let input, let weight, let epsilon, let output):
            return .norm(
                RowKernel.Norm(
                    input: wide(input), output: wide(output), width: plan[input].width,
                    groupSize: plan[weight].elements.count, weight: vector(weight), epsilon: epsilon))
        case .rotaryEmbedding(let input, let headSize, let rotary, let output):
            return .rotary(
                RowKernel.Rotary(
                    input: wide(input), output: wide(output), width: plan[input].width, headSize: headSize,
                    pairCount: rotary.frequencies.count, pairing: rotary.pairing.kernelPairing,
                    angles: try angles(of: rotary)))
        case .writeKV(let layer, let key, let value):
            return .writeKV(
                RowKernel.WriteKV(
                    layer: layer, key: wide(key), value: wide(value), width: plan.cacheLayers[layer].width,
                    headSize: plan.cacheLayers[layer].headSize))
        case .gatedActivation(let gate, let up, let activation, let output):
            return .gated(
                RowKernel.Gated(
                    activation: activation.kernelActivation, gate: wide(gate), up: wide(up), output: wide(output),
                    width: plan[output].width))
        case .add(let left, let right, let output):
            return .add(left: wide(left), right: wide(right), output: wide(output), width: plan[output].width)
        case .gather(let input, let output):
            return .gather(input: wide(input), output: wide(output), width: plan[output].width)
        case .softCap(let input, let cap, let output):
            return .softCap(input: wide(input), output: wide(output), width: plan[output].width, cap: cap)
        case .linear, .pagedAttention:
            preconditionFailure("not a row operation")
        }
    }

    /// The table of a rotation; layers that rotate alike share one.
    private mutating func angles(of rotary: RotaryEmbedding) throws(BackendError) -> RotaryAngles {
        if let known = anglesOf[rotary] { return known }
        let pairCount = rotary.frequencies.count
        let tableCount = limits.maxTokenCount * pairCount
        let range = try pool.allocate(byteCount: (2 * tableCount + pairCount) * 4, for: .scratch)
        let start = range.start.bindMemory(to: Float.self, capacity: 2 * tableCount + pairCount)
        let frequencies = start + 2 * tableCount
        for (index, frequency) in rotary.frequencies.enumerated() { frequencies[index] = frequency }
        let angles = RotaryAngles(
            pairCount: pairCount, frequencies: UnsafePointer(frequencies), magnitude: rotary.magnitude,
            cosines: start, sines: start + tableCount)
        anglesOf[rotary] = angles
        program.angles.append(angles)
        ranges.append(range)
        return angles
    }
}
