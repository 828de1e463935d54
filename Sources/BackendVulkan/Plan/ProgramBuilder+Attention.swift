import Backends
import SharedValues
import Tensors

extension ProgramBuilder {
    /// A pass over the heads of a value: norm, rotation, and on to another value or into the cache.
    mutating func head(_ step: HeadPass) throws(BackendError) {
        let width = plan[step.input].width
        guard step.headSize % 2 == 0 else {
            throw .unsupported(operation: "rotaryEmbedding", reason: "heads of \(step.headSize) numbers; even ones are")
        }
        let table = step.rotary.map { weights.table($0) } ?? weights.vectors
        var constants = ["GROUP": KernelShapes.headGroup]
        let kind: KernelKind
        let target: MemoryRange
        let place: [UInt32]
        var targetByteCount = width * 4
        switch step.target {
        case .value(let output):
            (kind, target, place) = (.headToValue, memory.range(output), self.place(output))
        case .keys(let layer), .values(let layer):
            let ranges = cache.layers[layer]
            let isKeys = if case .keys = step.target { true } else { false }
            constants.merge(KernelShapes.cacheConstants(cache.type)) { $1 }
            targetByteCount = cache.type.tokenByteCount(of: plan.cacheLayers[layer])
            // Counted in numbers, or in words of heads with a scale.
            let stride = cache.type == .int8 ? targetByteCount / 4 : width
            (kind, target, place) = (.headToCache, isKeys ? ranges.keys : ranges.values, [UInt32(stride), 0])
        }
        let dispatch = Dispatch(
            choices: try kernel(kind, constants, bindingCount: 6),
            bindings: [
                memory.range(step.input), weights.vectors, table, batch.range(.positions), batch.range(.slots), target,
            ],
            constants: [UInt32(step.headSize)] + self.place(step.input) + place + [
                step.norm == nil ? 0 : 1, UInt32(step.norm.map { weights.offset(of: $0.weight) } ?? 0),
                (step.norm?.epsilon ?? 0).bitPattern, UInt32(step.rotary?.frequencies.count ?? 0),
                step.rotary?.pairing == .interleaved ? 1 : 0,
            ],
            rows: .tokens, groupCount: width / step.headSize,
            label: "\(step.norm == nil ? "" : "norm, ")\(step.rotary == nil ? "" : "turn, ")write \(width)",
            bytesPerRow: width * 4 + targetByteCount,
            workPerRow: width * ((step.norm == nil ? 0 : 4) + (step.rotary == nil ? 0 : 3)))
        append([dispatch], reading: [memory.range(step.input)], writing: [target])
    }

    /// Single rows and tiles of rows side by side, then the reduction of single rows whose context was shared out. What
    /// becomes quantized activations does so before the reduction, which makes its own, so that single rows need no other kernel.
    mutating func attention(
        _ layer: Int, _ query: ValueID, _ shape: AttentionShape, _ output: ValueID, _ record: QuantizedOutput?
    ) throws(BackendError) {
        let heads = plan.cacheLayers[layer]
        let group = shape.queryHeadCount / heads.keyValueHeadCount
        let cut = try shapes.attention(headSize: heads.headSize, group: group)
        let ranges = cache.layers[layer]
        let slices = group.dividedUp(by: cut.heads)
        let target = memory.range(output)
        let tasks = memory.tasks
        func dispatch(_ rows: DispatchRows, queries: Int, firstTask: Int) throws(BackendError) -> Dispatch {
            let constants = shapes.constants(of: cut, queries: queries, headSize: heads.headSize, cache: cache.type)
            return Dispatch(
                choices: try kernel(.attention, constants, bindingCount: 7),
                bindings: [
                    memory.range(query), ranges.keys, ranges.values, target, memory.states, batch.range(.tasks),
                    batch.range(.blockTables),
                ],
                constants: place(query) + place(output) + [
                    UInt32(heads.keyValueHeadCount), UInt32(group), UInt32(slices), shape.scale.bitPattern,
                    UInt32(shape.slidingWindow ?? 0), (shape.softCap ?? 0).bitPattern,
                    UInt32(cache.blockSize.trailingZeroBitCount), UInt32(firstTask),
                ],
                rows: rows, groupCount: heads.keyValueHeadCount * slices,
                label: "attention \(shape.queryHeadCount)/\(heads.keyValueHeadCount) of \(heads.headSize) "
                    + "\(cache.type)",
                bytesPerPosition: 2 * cache.type.tokenByteCount(of: heads),
                workPerScore: 4 * heads.headSize * shape.queryHeadCount)
        }
        append(
            [
                try dispatch(.rowTasks, queries: 1, firstTask: 0),
                try dispatch(.tileTasks, queries: tasks.rowsPerTile, firstTask: tasks.firstTile),
            ],
            reading: [memory.range(query), ranges.keys, ranges.values], writing: [target, memory.states])
        let choices: [KernelChoice]
        if let record {
            try quantize(output, record.quantized, record.output, of: .tokensIfUnreduced)
            choices = try linearKernels.making(record.quantized, by: .attentionReduce(headSize: heads.headSize))
        } else {
            choices = try kernel(
                .attentionReduce, KernelShapes.reduceConstants(headSize: heads.headSize), bindingCount: 3)
        }
        let reduced = record?.output ?? output
        let reduction = Dispatch(
            choices: choices, bindings: [memory.states, batch.range(.reductions), memory.range(reduced)],
            constants: place(reduced) + [UInt32(shape.queryHeadCount)],
            rows: .reductions, groupCount: shape.queryHeadCount, label: "attention, reduced",
            bytesPerRow: shape.queryHeadCount * heads.headSize * 4)
        append([reduction], reading: [memory.states], writing: [memory.range(reduced)])
    }
}
