import Backends
import CLibrary
import Lowering
import SharedValues
import Tensors

/// Attention of some query rows of one sequence over its cached context, through the block table (`attention.comp`).
struct AttentionKernel: Kernel {
    enum Binding: KernelBinding { case queries, keys, values, output, states, tasks, blockTables, sinks }

    struct Parameters: KernelParameters {
        var query: RowLayout
        var output: RowLayout
        /// Key/value heads.
        var keyHeads: UInt32
        /// Query heads to a key/value head.
        var groupHeads: UInt32
        /// Workgroups that share a key/value head.
        var slices: UInt32
        var scale: Float
        /// The length of the sliding window; zero: none.
        var window: UInt32
        /// The soft cap of scores; zero: none.
        var cap: Float
        /// The binary logarithm of the block size.
        var blockShift: UInt32
        /// Words of the cache, as invocations read them, from one block to the next.
        var blockStride: UInt32
        var firstTask: UInt32
        /// 0: heads have no sinks.
        var hasSinks: UInt32
        var sinkOffset: UInt32
    }

    static let operations = [
        KernelOperation(
            "attention",
            [
                // The invocations of a subgroup have the same rows, at different positions.
                KernelVariant(
                    name: "attention_subgroup", parts: parts(PackageResources.maxima_subgroup_glsl),
                    needs: [.subgroupArithmetic, .subgroupSize(maximum: KernelShapes.attentionTile)],
                    extensions: KernelVariant.subgroupArithmetic),
                KernelVariant(name: "attention_shared", parts: parts(PackageResources.maxima_shared_glsl)),
            ])
    ]

    private static func parts(_ maxima: [UInt8]) -> [[UInt8]] {
        [
            PackageResources.numbers_glsl, PackageResources.cache_glsl, PackageResources.soft_capping_glsl,
            PackageResources.softmax_state_glsl, PackageResources.attention_rows_glsl, maxima,
            PackageResources.attention_comp,
        ]
    }

    let shapes: KernelShapes
    let tiling: KernelShapes.AttentionTiling
    /// Rows of a sequence that a workgroup computes at once.
    let rowCount: Int
    let headSize: Int
    let cacheType: CacheType

    var definitions: ShaderDefinitions {
        let isStaged = shapes.isStaged(
            queryCount: rowCount * tiling.heads, headSize: headSize, unit: tiling.unit, cache: cacheType)
        let unitCount = headSize / tiling.unit
        // Without staging, a GPU waits for every load from memory, so a longer program that waits less often is faster. A
        // CPU gains nothing by either, and compiles longer.
        let (keys, values) = shapes.capabilities.isProcessor ? (1, 1) : isStaged ? (4, 4) : (8, 16)
        return cacheType.definitions + [
            "GROUP": shapes.attentionGroup(unitCount: unitCount), "TILE": KernelShapes.attentionTile,
            "PARTITION": shapes.attentionPartition, "IS_STAGED": isStaged ? 1 : 0,
            "KEYS_AHEAD": min(keys, 1 << unitCount.trailingZeroBitCount), "VALUES_AHEAD": values,
            "HEAD_SIZE": headSize, "UNIT": tiling.unit, "HEADS": tiling.heads, "QUERIES": rowCount,
        ]
    }

    /// The last rows of a context over two partitions, in blocks of sixteen in reverse order, each with room for one more
    /// token; one key/value head that all of the kernel's heads read. The window begins in the second block, so the table
    /// has no first one. Each head has a sink.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let heads = tiling.heads
        let context = shapes.attentionPartition + 20 + rowCount
        let blockCount = context.dividedUp(by: 16)
        let blocks = (0..<blockCount).reversed().map { $0 }
        let slotCount = blockCount * 17
        let window = shapes.attentionPartition
        let cache = TestCache(type: cacheType, headSize: headSize)
        let keys = cache.words(SelfTestCase.numbers(slotCount * headSize, seed: 30))
        let values = cache.words(SelfTestCase.numbers(slotCount * headSize, seed: 31))
        let queries = SelfTestCase.numbers(rowCount * heads * headSize, seed: 32)
        let sinks = SelfTestCase.numbers(heads, seed: 34).map { $0 * 6 }
        let (keyNumbers, valueNumbers) = (cache.numbers(keys), cache.numbers(values))
        var expected: [Double] = []
        for row in 0..<rowCount {
            let end = context - rowCount + row + 1
            let slots = (end - window..<end).map { blocks[$0 / 16] * 17 + $0 % 16 }
            for head in 0..<heads {
                let query = queries[(row * heads + head) * headSize..<(row * heads + head + 1) * headSize]
                let weights = slots.map { slot in
                    let key = keyNumbers[(slot * headSize)...]
                    return exp(zip(query, key).reduce(0) { $0 + Double($1.0) * Double($1.1) } * 0.25)
                }
                let total = weights.reduce(exp(Double(sinks[head])), +)
                for number in 0..<headSize {
                    let sum = zip(slots, weights).reduce(0) {
                        $0 + $1.1 * Double(valueNumbers[$1.0 * headSize + number])
                    }
                    expected.append(sum / total)
                }
            }
        }
        let layout = RowLayout(stride: UInt32(heads * headSize))
        return SelfTestCase(
            Self.self,
            bindings: [
                .queries: SelfTestCase.bits(queries), .keys: keys, .values: values,
                .output: SelfTestCase.unwritten(queries.count), .states: SelfTestCase.unwritten(4),
                .tasks: [0, UInt32(rowCount), UInt32(context - rowCount), UInt32(bitPattern: -1), 0, 2, 0, 0],
                .blockTables: blocks.dropFirst().map { UInt32($0) }, .sinks: SelfTestCase.bits(sinks),
            ],
            parameters: Parameters(
                query: layout, output: layout, keyHeads: 1, groupHeads: UInt32(heads), slices: 1, scale: 0.25,
                window: UInt32(window), cap: 0, blockShift: 4,
                blockStride: UInt32(17 * cacheType.headByteCount(headSize: headSize) / tiling.wordByteCount(cacheType)),
                firstTask: 0, hasSinks: 1, sinkOffset: 0),
            rowCount: 1, output: .output, expected: expected)
    }
}

extension KernelShapes {
    /// Positions of a context that a workgroup computes scores of at once.
    static let attentionTile = 64

    /// Positions whose values are summed up before the sums are folded. A GPU needs many more workgroups than there are
    /// heads, so it splits short contexts as well.
    var attentionPartition: Int { capabilities.isProcessor ? 256 : Self.attentionTile }

    /// How the queries of an attention are split into workgroups.
    struct AttentionTiling: Hashable {
        /// Numbers that an invocation reads at once.
        let unit: Int
        /// Query heads in a workgroup, of those that read the same keys and values.
        let heads: Int
        /// Rows of a chunk in a workgroup.
        let rowsPerTile: Int

        /// Bytes of the cache that an invocation reads at once: `CACHE_WORDS` in `cache.glsl`.
        func wordByteCount(_ cache: CacheType) -> Int { cache.elementType.map { unit * $0.byteCount } ?? 4 }
    }

    /// The tiling for heads of `headSize` numbers, `group` of which read the same keys and values. Throws `unsupported`
    /// where the head is odd or too large.
    func attentionTiling(headSize: Int, group: Int) throws(BackendError) -> AttentionTiling {
        let unit = Self.attentionUnit(headSize: headSize)
        guard headSize % 2 == 0, headSize / unit <= Self.maxAttentionUnitCount else {
            throw .unsupported(
                operation: "pagedAttention",
                reason: "heads of \(headSize) numbers; even ones to 256 are, and multiples of 4 to 512")
        }
        func fits(_ queryCount: Int) -> Bool {
            Self.attentionByteCount(queryCount: queryCount, headSize: headSize, unit: unit)
                <= capabilities.sharedMemoryByteCount
        }
        // More queries would not fit an invocation's registers.
        let maximum = 16
        var heads = min(group, maximum)
        while heads > 1, !fits(heads) { heads = heads.dividedUp(by: 2) }
        var rows = max(1, maximum / heads)
        while rows > 1, !fits(rows * heads) { rows -= 1 }
        guard fits(heads * rows) else {
            throw .unsupported(
                operation: "pagedAttention",
                reason: "heads of \(headSize) numbers need more than \(capabilities.sharedMemoryByteCount) bytes of "
                    + "shared memory")
        }
        return AttentionTiling(unit: unit, heads: heads, rowsPerTile: rows)
    }

    /// Units of a head: an invocation of a workgroup sums up the values of one, and every device has as many invocations.
    private static let maxAttentionUnitCount = 128

    /// Numbers of a head that an invocation reads at once.
    static func attentionUnit(headSize: Int) -> Int { headSize % 4 == 0 ? 4 : 2 }

    /// Invocations of a workgroup for heads of `unitCount` units, whole tiles. On a GPU several have the same position of
    /// the tile, each for some of the rows.
    fileprivate func attentionGroup(unitCount: Int) -> Int {
        let preferred = 4 * Self.attentionTile
        return !capabilities.isProcessor && capabilities.maxInvocationCount >= preferred
            ? preferred : unitCount.roundedUp(to: Self.attentionTile)
    }

    /// Whether a tile's keys and values go through shared memory. A CPU's shared memory is memory like any other.
    fileprivate func isStaged(queryCount: Int, headSize: Int, unit: Int, cache: CacheType) -> Bool {
        guard !capabilities.isProcessor else { return false }
        // As `STAGED_HEAD` in `attention.comp`.
        let words = (cache == .int8 ? headSize.dividedUp(by: 4) + 1 : headSize / unit) | 1
        let wordByteCount = cache.elementType.map { unit * $0.byteCount } ?? 4
        return Self.attentionByteCount(queryCount: queryCount, headSize: headSize, unit: unit)
            + Self.attentionTile * words * wordByteCount <= capabilities.sharedMemoryByteCount
    }

    /// Shared memory for the queries, their weights and two largest scores each, and for the offsets of a tile's positions.
    private static func attentionByteCount(queryCount: Int, headSize: Int, unit: Int) -> Int {
        queryCount * (headSize / unit * 16 + attentionTile * 4 + 8) + attentionTile * 4
    }
}

extension ProgramBuilder {
    /// Single rows and tiles of rows side by side, then the reduction of single rows whose context was split. Where the
    /// output becomes quantized activations, unsplit rows are quantized before the reduction, which quantizes its own.
    mutating func attention(
        _ layer: Int, _ query: ValueID, _ shape: AttentionShape, _ output: ValueID,
        _ record: ConvertedOutput<QuantizedActivations>?
    ) throws(BackendError) {
        let heads = plan.cacheLayers[layer]
        let group = shape.queryHeadCount / heads.keyValueHeadCount
        let tiling = try shapes.attentionTiling(headSize: heads.headSize, group: group)
        let cacheLayer = cache.layout.layers[layer]
        let ranges = cache.physicalLayers[cacheLayer.physicalLayer]
        let slices = group.dividedUp(by: tiling.heads)
        let target = memory.range(output)
        let tasks = memory.tasks
        func dispatch(_ rows: DispatchRows, rowCount: Int, firstTask: Int) throws(BackendError) -> Dispatch {
            let kernel = AttentionKernel(
                shapes: shapes, tiling: tiling, rowCount: rowCount, headSize: heads.headSize, cacheType: cache.type)
            return Dispatch(
                AttentionKernel.self, try kernels(for: kernel),
                bindings: [
                    .queries: memory.range(query), .keys: ranges.keys, .values: ranges.values, .output: target,
                    .states: memory.states, .tasks: batch.range(.tasks(cacheLayer.group)),
                    .blockTables: batch.range(.blockTables(cacheLayer.group)), .sinks: weights.vectors,
                ],
                parameters: .init(
                    query: rowLayout(of: query), output: rowLayout(of: output),
                    keyHeads: UInt32(heads.keyValueHeadCount), groupHeads: UInt32(group), slices: UInt32(slices),
                    scale: shape.scale, window: UInt32(shape.slidingWindow ?? 0), cap: shape.softCap ?? 0,
                    blockShift: UInt32(cacheLayer.blockSize.trailingZeroBitCount),
                    blockStride: UInt32(cacheLayer.blockByteCount / tiling.wordByteCount(cache.type)),
                    firstTask: UInt32(firstTask), hasSinks: shape.sinks == nil ? 0 : 1,
                    sinkOffset: UInt32(shape.sinks.map { weights.offset(of: $0) } ?? 0)),
                rows: rows, groupCount: heads.keyValueHeadCount * slices,
                label: "attention \(shape.queryHeadCount)/\(heads.keyValueHeadCount) of \(heads.headSize) "
                    + "\(cache.type)",
                bytesPerPosition: 2 * cache.type.tokenByteCount(of: heads),
                workPerScore: 4 * heads.headSize * shape.queryHeadCount)
        }
        append(
            [
                try dispatch(.rowTasks(group: cacheLayer.group), rowCount: 1, firstTask: 0),
                try dispatch(
                    .tileTasks(group: cacheLayer.group), rowCount: tasks.rowsPerTile, firstTask: tasks.firstTile),
            ],
            reading: [memory.range(query), ranges.keys, ranges.values], writing: [target, memory.states])
        if let record {
            try quantize(output, record.format, record.output, of: .tokensIfUnreduced(group: cacheLayer.group))
        }
        try reduceAttention(
            headSize: heads.headSize, headCount: shape.queryHeadCount, group: cacheLayer.group, sinks: shape.sinks,
            record?.format,
            record?.output ?? output)
    }
}
