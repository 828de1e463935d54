import Backends
import CPUKernels
import Lowering
import SharedValues
import Tensors

/// Everything that threads need to run a plan. Plain data in arrays, which do not change while threads read them.
struct Program {
    /// The work between two barriers, as a range of the kernels below.
    enum Stage {
        case rows(PlanRows, Range<Int>)
        case linears(PlanRows, Range<Int>)
        case selected(PlanRows, Range<Int>)
        /// Products with matrices of adapters, which steps without adapters skip.
        case adapters(Range<Int>)
        case attention(AttentionKernel, counter: Int)
    }

    var stages: [Stage] = []
    var rowKernels: [RowKernel] = []
    var linearKernels: [LinearKernel] = []
    var selectedKernels: [SelectedKernel] = []
    var angles: [RotaryAngles] = []
    var attentionCount = 0
}

/// Turns a lowered plan into a program: every value, weight and table gets its address.
struct ProgramBuilder {
    private let lowered: LoweredPlan<ActivationFormat>
    private let target: CPULowering
    private let limits: BatchLimits
    private let pool: MemoryPool
    private let threadCount: Int
    private let weights: [PrepackedMatrix]
    /// Of each set with known matrices the first one, and a table of the addresses of all.
    private var sets: [MatrixSetID: (matrix: PrepackedMatrix, addresses: UnsafePointer<UnsafeRawPointer>)] = [:]
    /// The sets of adapters.
    private(set) var adapterSlots: [MatrixSetID: AdapterSlots] = [:]
    private let vectors: UnsafeMutablePointer<Float>
    private let vectorOffsets: [Int]
    /// Scratch memory of all values but the logits.
    private let arena: UnsafeMutableRawPointer
    private let orders: InputOrders
    private var anglesOf: [RotaryEmbedding: RotaryAngles] = [:]
    /// The memory that the program points into.
    private(set) var ranges: [MemoryRange]
    private(set) var program = Program()
    /// Outside of the arena, as the caller reads the logits after the last stage.
    let logits: MemoryRange

    private var plan: ForwardPlan { lowered.plan }
    private var kernels: UnsafePointer<quire_kernels> { target.kernels }
    private var quantizedKernels: QuantizedKernels { target.quantizedKernels }

    init(
        _ plan: ForwardPlan, for target: CPULowering, limits: BatchLimits, pool: MemoryPool, workers: WorkerPool
    ) throws(BackendError) {
        let lowered = try LoweredPlan(plan, for: target, limits: limits)
        self.lowered = lowered
        self.target = target
        self.limits = limits
        self.pool = pool
        threadCount = workers.threadCount
        orders = try InputOrders(of: plan.matrices, pool: pool)
        let grids = try GridTables(
            of: plan.matrices.map(\.weights) + plan.matrixSets.flatMap(\.matrices), pool: pool)

        var linearMatrices: Set<MatrixID> = []
        for case .linear(_, let parts) in lowered.operations { linearMatrices.formUnion(parts.map(\.weights)) }
        var weights: [PrepackedMatrix] = []
        for (index, matrix) in plan.matrices.enumerated() {
            weights.append(
                try PrepackedMatrix(
                    matrix.weights, asPanels: linearMatrices.contains { $0.index == index }, grids: grids,
                    pool: pool, workers: workers))
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

        // The host can address any length, so there is one arena at most.
        let arenaRange = try pool.allocate(byteCount: lowered.layout.arenaByteCounts.first ?? 0, for: .scratch)
        arena = arenaRange.start
        let logitsStorage = lowered.layout.storages[lowered.layout.logitsStorage]
        logits = try pool.allocate(byteCount: logitsStorage.byteCount, for: .scratch)
        ranges = weights.map(\.range) + orders.memory + grids.memory + [vectorRange, arenaRange]
        for case .selectedLinear(_, let set, _, _, _) in lowered.operations
        where sets[set] == nil && adapterSlots[set] == nil {
            try addSet(set, grids, workers)
        }
        for stage in lowered.stages { try append(stage) }
    }

    /// Appends a stage, whose operations are all of one kind (`CPULowering.stages`).
    private mutating func append(_ stage: [CPUOperation]) throws(BackendError) {
        let rows = stage[0].outputs.first.map { plan[$0].rows } ?? .tokens
        switch stage[0] {
        case .linear:
            let first = program.linearKernels.count
            for case .linear(let input, let parts) in stage {
                for part in parts { program.linearKernels.append(linearKernel(input, part)) }
            }
            program.stages.append(.linears(rows, first..<program.linearKernels.count))
        case .selectedLinear(_, _, _, let selector, _):
            let first = program.selectedKernels.count
            for operation in stage { program.selectedKernels.append(selectedKernel(operation)) }
            let range = first..<program.selectedKernels.count
            switch selector {
            case .routes: program.stages.append(.selected(rows, range))
            case .adapters: program.stages.append(.adapters(range))
            }
        case .attention(let layer, let query, let shape, let output, let converted):
            let heads = plan.cacheLayers[layer]
            let kernel = AttentionKernel(
                layer: layer, query: UnsafePointer(floats(query)), output: floats(output),
                converted: converted.map { attended($0) }, keyValueHeadCount: heads.keyValueHeadCount,
                headSize: heads.headSize, group: shape.queryHeadCount / heads.keyValueHeadCount, scale: shape.scale,
                softCap: shape.softCap ?? 0, slidingWindow: shape.slidingWindow ?? 0,
                sinks: shape.sinks.map { vector($0) })
            precondition(kernel.width == plan[query].width, "queries of another width than the attention's")
            program.stages.append(.attention(kernel, counter: program.attentionCount))
            program.attentionCount += 1
        default:
            let first = program.rowKernels.count
            for operation in stage { program.rowKernels.append(try rowKernel(operation)) }
            program.stages.append(.rows(rows, first..<program.rowKernels.count))
        }
    }
}

// MARK: Addresses

extension ProgramBuilder {
    private func start(_ value: ValueID) -> UnsafeMutableRawPointer {
        let view = lowered.layout[value]
        guard view.storage != lowered.layout.logitsStorage else { return logits.start }
        return arena + lowered.layout.storages[view.storage].byteOffset
    }

    private func floats(_ value: ValueID) -> UnsafeMutablePointer<Float> {
        start(value).assumingMemoryBound(to: Float.self)
    }

    private func vector(_ vector: VectorID) -> UnsafePointer<Float> {
        UnsafePointer(vectors + vectorOffsets[vector.index])
    }

    /// The distance between the numbers of two groups in `vector`: 0 where all groups share them.
    private func vectorStride(_ vector: VectorID?, groupSize: Int) -> Int {
        guard let vector, plan[vector].elements.count > groupSize else { return 0 }
        return groupSize
    }

    /// The table of a rotation; layers with the same rotation share one.
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

// MARK: Kernels

extension ProgramBuilder {
    private func attended(_ converted: ConvertedOutput<ActivationFormat>) -> AttentionKernel.Converted {
        let start = start(converted.output)
        return switch converted.format {
        case .bf16: .bf16(start.assumingMemoryBound(to: UInt16.self))
        case .quantized(let activations):
            .quantized(start, activations, kernel: quantizedKernels.quantization(to: activations))
        }
    }

    private func linearKernel(_ input: ValueID, _ part: LinearPart) -> LinearKernel {
        let matrix = weights[part.weights.index]
        let format = target.inputFormat(of: plan[part.weights].weights)
        let width = matrix.inputSize
        precondition(
            plan[input].width == format?.wordCount(width: width) ?? width
                && matrix.outputSize == plan[part.output].width,
            "\(plan[part.weights].name) does not fit its input or output")
        return LinearKernel(
            function: function(matrix.layout, format), matrix: UnsafeRawPointer(matrix.range.start),
            input: UnsafeRawPointer(start(input)), inputByteStride: plan[input].width * 4,
            inputStride: format?.stride(width: width) ?? width, output: floats(part.output), inputSize: width,
            outputSize: matrix.outputSize, bias: part.bias.map { vector($0) },
            panelCount: quire_panel_count(matrix.outputSize))
    }

    private mutating func addSet(
        _ id: MatrixSetID, _ grids: GridTables, _ workers: WorkerPool
    ) throws(BackendError) {
        let set = plan[id]
        if let slots = set.slots {
            let slots = try AdapterSlots(slots, pool: pool)
            adapterSlots[id] = slots
            ranges += slots.memory
            return
        }
        let table = try pool.allocate(
            byteCount: set.matrices.count * MemoryLayout<UnsafeRawPointer>.stride, for: .weights)
        let addresses = table.start.bindMemory(to: UnsafeRawPointer.self, capacity: set.matrices.count)
        ranges.append(table)
        var first: PrepackedMatrix?
        for (index, weights) in set.matrices.enumerated() {
            let matrix = try PrepackedMatrix(
                weights, asPanels: true, grids: grids, pool: pool, workers: workers)
            (addresses + index).initialize(to: UnsafeRawPointer(matrix.range.start))
            ranges.append(matrix.range)
            first = first ?? matrix
        }
        guard let first else { preconditionFailure("a set without matrices") }
        sets[id] = (first, UnsafePointer(addresses))
    }

    private func selectedKernel(_ operation: CPUOperation) -> SelectedKernel {
        switch operation {
        case .selectedLinear(let input, let set, let bias, .routes(let routes), let output):
            return expertKernel(input, set, bias, routes, output)
        case .selectedLinear(let input, let set, _, .adapters(let addend), let output):
            return adapterKernel(input, set, isAdding: addend != nil, output)
        default: preconditionFailure("not a product with selected matrices")
        }
    }

    private func expertKernel(
        _ input: ValueID, _ set: MatrixSetID, _ bias: VectorID?, _ routes: ValueID, _ output: ValueID
    ) -> SelectedKernel {
        guard let (matrix, addresses) = sets[set] else { preconditionFailure("a set that no operation uses") }
        let format = target.inputFormat(of: plan[set])
        let width = matrix.inputSize
        let choiceCount = plan[routes].width / 2
        let inputByteCount = (format?.wordCount(width: width) ?? width) * 4
        let linear = LinearKernel(
            function: function(matrix.layout, format), matrix: addresses[0], input: UnsafeRawPointer(start(input)),
            inputByteStride: plan[input].width * 4, inputStride: format?.stride(width: width) ?? width,
            output: floats(output), inputSize: width, outputSize: matrix.outputSize, bias: bias.map { vector($0) },
            panelCount: quire_panel_count(matrix.outputSize))
        return SelectedKernel(
            linear: linear, matrices: addresses, matrixCount: plan[set].count,
            selector: .routes(UnsafePointer(floats(routes))), choiceCount: choiceCount, inputByteCount: inputByteCount,
            isShared: plan[input].width * 4 == inputByteCount, panelWidth: Int(quire_panel_width), isAdding: false,
            rounding: nil)
    }

    private func adapterKernel(
        _ input: ValueID, _ set: MatrixSetID, isAdding: Bool, _ output: ValueID
    ) -> SelectedKernel {
        guard let adapters = adapterSlots[set] else { preconditionFailure("a set that no operation uses") }
        let slots = adapters.slots
        let panelWidth = adapters.isRowMajor ? AdapterSlots.rowMajorPanelWidth : Int(quire_panel_width)
        let roundsInput =
            !adapters.isRowMajor && slots.elementType == .bf16 && kernels.pointee.linear_bf16_activation == .bf16
        let linear = LinearKernel(
            function: adapters.isRowMajor
                ? .rowMajor(kernels.pointee.linear_row_major, slots.elementType.kernelType)
                : function(.panels(slots.elementType), nil),
            matrix: adapters.addresses[0], input: UnsafeRawPointer(start(input)),
            inputByteStride: plan[input].width * 4,
            inputStride: roundsInput ? ActivationFormat.bf16.stride(width: slots.inputSize) : slots.inputSize,
            output: floats(output), inputSize: slots.inputSize, outputSize: slots.outputSize, bias: nil,
            panelCount: slots.outputSize.dividedUp(by: panelWidth))
        return SelectedKernel(
            linear: linear, matrices: adapters.addresses, matrixCount: slots.count,
            selector: .adapters(isPresent: UnsafePointer(adapters.isPresent)), choiceCount: 1,
            inputByteCount: slots.inputSize * 4, isShared: true, panelWidth: panelWidth, isAdding: isAdding,
            rounding: roundsInput ? kernels.pointee.convert_from_f32 : nil)
    }

    private func function(_ layout: PrepackedMatrix.Layout, _ format: ActivationFormat?) -> LinearKernel.Function {
        switch layout {
        case .panels(.f32): return .dense(kernels.pointee.linear_f32)
        case .panels(.f16): return .dense(kernels.pointee.linear_f16)
        case .panels(.bf16): return .dense(kernels.pointee.linear_bf16)
        case .rows: preconditionFailure("a linear operation reads panels")
        case .quantized(let matrix):
            let isFloat8 = matrix.values == .float8
            guard case .quantized(let activations) = format else {
                return .quantized(quantizedKernels.linear(nil, isFloat8: isFloat8), matrix)
            }
            return .quantized(quantizedKernels.linear(activations, isFloat8: isFloat8), matrix)
        }
    }

    private mutating func rowKernel(_ operation: CPUOperation) throws(BackendError) -> RowKernel {
        switch operation {
        case .embed(let table, let index, let scale, let output):
            let matrix = weights[table.index]
            guard plan[table].weights.inputOrder == nil else {
                throw .unsupported(operation: "embed", reason: "\(plan[table].name) has reordered columns")
            }
            return .embed(
                RowKernel.Embed(
                    layout: matrix.layout, table: UnsafeRawPointer(matrix.range.start), rowCount: matrix.outputSize,
                    index: index, scale: scale, output: floats(output), width: matrix.inputSize))
        case .norm(let input, let weight, let epsilon, let output):
            return .norm(
                RowKernel.Norm(
                    input: floats(input), output: floats(output), width: plan[input].width,
                    groupSize: plan[weight].elements.count, weight: vector(weight), epsilon: epsilon))
        case .layerNorm(let input, let weight, let bias, let groupSize, let epsilon, let output):
            return .layerNorm(
                RowKernel.LayerNorm(
                    input: floats(input), output: floats(output), width: plan[input].width, groupSize: groupSize,
                    weight: weight.map { vector($0) }, weightStride: vectorStride(weight, groupSize: groupSize),
                    bias: bias.map { vector($0) }, biasStride: vectorStride(bias, groupSize: groupSize),
                    epsilon: epsilon))
        case .addNorm(let left, let right, let sum, let weight, let epsilon, _, let output):
            return .addNorm(
                RowKernel.AddNorm(
                    left: floats(left), right: floats(right), sum: floats(sum), output: floats(output),
                    width: plan[sum].width, weight: vector(weight), epsilon: epsilon))
        case .reorder(let input, let matrix, let output):
            return .reorder(
                RowKernel.Reorder(
                    input: floats(input), output: start(output), width: plan[input].width,
                    order: orders.order(of: plan[matrix]), type: .f32))
        case .convert(let input, let partCount, let matrix, let format, let output):
            return conversion(
                of: input, partCount, order: matrix.map { orders.order(of: plan[$0]) }, to: format, output)
        case .route(let logits, let bias, let factors, let routing, let output):
            let count = routing.scratchCount * threadCount
            let scratch = try pool.allocate(byteCount: count * MemoryLayout<Double>.stride, for: .scratch)
            ranges.append(scratch)
            return .route(
                RowKernel.Route(
                    routing: routing, logits: floats(logits), bias: bias.map { vector($0) },
                    factors: factors.map { vector($0) }, output: floats(output),
                    scratch: scratch.start.bindMemory(to: Double.self, capacity: count)))
        case .weightedSum(let input, let routes, let output):
            return .weightedSum(
                input: floats(input), routes: floats(routes), choiceCount: plan[routes].width / 2,
                output: floats(output), width: plan[output].width)
        case .head(let pass): return try headKernel(pass)
        case .gated(let gate, let up, let activation, _, let output):
            return .gated(
                RowKernel.Gated(
                    function: activation.kernelFunction, gate: floats(gate), up: floats(up),
                    output: floats(output), width: plan[output].width))
        case .activation(let input, let activation, let output):
            return .activation(
                activation.kernelActivation, activation.kernelNumbers, input: floats(input), output: floats(output),
                width: plan[output].width)
        case .scale(let input, let factor, let output):
            return .scale(input: floats(input), output: floats(output), width: plan[output].width, factor: factor)
        case .positionScale(let input, let scale, let output):
            return .positionScale(
                input: floats(input), output: floats(output), width: plan[output].width, scale: scale)
        case .slice(let input, let offset, let output):
            return .slice(
                input: floats(input) + offset, stride: plan[input].width, output: floats(output),
                width: plan[output].width)
        case .concatHeads(let first, let second, let headCount, let output):
            func part(_ columns: HeadColumns) -> RowKernel.ConcatHeads.Part {
                RowKernel.ConcatHeads.Part(
                    input: floats(columns.input) + columns.offset, rowStride: plan[columns.input].width,
                    headStride: columns.stride, width: columns.width)
            }
            return .concatHeads(
                RowKernel.ConcatHeads(
                    first: part(first), second: second.map(part), output: floats(output), headCount: headCount,
                    headSize: plan[output].width / headCount))
        case .add(let left, let right, let output):
            return .add(left: floats(left), right: floats(right), output: floats(output), width: plan[output].width)
        case .gather(let input, let output):
            return .gather(input: floats(input), output: floats(output), width: plan[output].width)
        case .softCap(let input, let cap, let output):
            return .softCap(input: floats(input), output: floats(output), width: plan[output].width, cap: cap)
        case .linear, .selectedLinear, .attention:
            preconditionFailure("not a row operation")
        }
    }

    private func conversion(
        of input: ValueID, _ partCount: Int, order: UnsafePointer<Int32>?, to format: ActivationFormat,
        _ output: ValueID
    ) -> RowKernel {
        let width = plan[input].width / partCount
        switch format {
        case .quantized(let activations):
            return .quantize(
                RowKernel.Quantize(
                    kernel: quantizedKernels.quantization(to: activations), input: floats(input),
                    output: start(output), width: width, partCount: partCount, order: order,
                    stride: format.stride(width: width), byteStride: plan[output].width / partCount * 4))
        case .bf16:
            guard let order else {
                return .roundToBF16(
                    input: floats(input), output: start(output), width: width, partCount: partCount)
            }
            return .reorder(
                RowKernel.Reorder(
                    input: floats(input), output: start(output), width: width, order: order, type: .bf16))
        }
    }

    /// A rotation, or a write to the cache: heads are not fused (`CPULowering.fusesHeads`).
    private mutating func headKernel(_ pass: HeadPass) throws(BackendError) -> RowKernel {
        let (input, width) = (floats(pass.input), plan[pass.input].width)
        func write(to layer: Int, isKeys: Bool) -> RowKernel {
            .writeHeads(
                RowKernel.WriteHeads(
                    layer: layer, isKeys: isKeys, input: input, width: width, headSize: pass.headSize))
        }
        switch (pass.target, pass.rotary) {
        case (.value(let output), let rotary?):
            return .rotary(
                RowKernel.Rotary(
                    input: input, output: floats(output), width: width, headSize: pass.headSize,
                    pairCount: rotary.frequencies.count, pairing: rotary.pairing.kernelPairing,
                    angles: try angles(of: rotary)))
        case (.keys(let layer), nil): return write(to: layer, isKeys: true)
        case (.values(let layer), nil): return write(to: layer, isKeys: false)
        default: preconditionFailure("a pass over heads that the cpu backend does not fuse")
        }
    }
}
