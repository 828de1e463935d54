import Backends
import CPUKernels
import SharedValues
import Tensors

/// A plan as a program that the threads of a pool run in lock-step.
final class CPUPlan: PreparedPlan, TeamWork {
    private let limits: BatchLimits
    private let shapes: [CacheLayer]
    private let vocabularySize: Int
    private let kernels: UnsafePointer<quire_kernels>
    private let workers: WorkerPool
    private let ranges: [MemoryRange]
    private let logits: MemoryRange
    private let program: Program
    private let adapterSlots: [MatrixSetID: AdapterSlots]
    private let counters: [SharedCounter]
    private let attentionScratch: MemoryRange
    private let attentionScratchCount: Int
    private let selectedScratch: MemoryRange
    private let selectedScratchByteCount: Int
    private let queriesPerTile: Int
    private let tiles: UnsafeMutablePointer<AttentionTile>
    private var tileCount = 0
    private var batch: BatchView?
    /// Sample rows of the batch that is computed but not waited for.
    private var submittedRowCount: Int?
    private var cache: CacheView?
    private var attached: KVCacheMemory?
    private let cacheLayers: UnsafeMutablePointer<CacheView.Layer>
    /// The slots and block tables of the batch in each cache group; there are no more groups than layers, or one.
    private let batchGroups: UnsafeMutablePointer<BatchView.Group>

    init(
        _ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool, kernels: UnsafePointer<quire_kernels>,
        quantizedKernels: QuantizedKernels, workers: WorkerPool
    ) throws(BackendError) {
        let builder = try ProgramBuilder(
            plan, for: CPULowering(kernels: kernels, quantizedKernels: quantizedKernels), limits: limits, pool: pool,
            workers: workers)
        program = builder.program
        adapterSlots = builder.adapterSlots
        counters = (0..<builder.program.attentionCount).map { _ in SharedCounter() }

        // Queries of a tile share each read of keys and values. 96 rows of queries keep the tile in the second-level cache.
        var heads: [AttentionKernel] = []
        for case .attention(let kernel, _) in builder.program.stages { heads.append(kernel) }
        let queriesPerTile = max(1, min(32, 96 / (heads.map(\.group).max() ?? 1)))
        let scratchCount = heads.map { quire_attention_scratch_count(queriesPerTile, $0.group, $0.headSize) }.max() ?? 0
        // The part of each thread begins in a cache line of its own.
        attentionScratchCount = (scratchCount + 63) / 64 * 64
        attentionScratch = try pool.allocate(
            byteCount: attentionScratchCount * 4 * workers.threadCount, for: .scratch)
        let selectedByteCount =
            builder.program.selectedKernels.map {
                $0.scratchByteCount(maxRowCount: limits.maxTokenCount)
            }.max() ?? 0
        selectedScratchByteCount = selectedByteCount.roundedUp(to: 256)
        selectedScratch = try pool.allocate(
            byteCount: selectedScratchByteCount * workers.threadCount, for: .scratch)
        let tileRange = try pool.allocate(
            byteCount: limits.maxTokenCount * MemoryLayout<AttentionTile>.stride, for: .scratch)
        tiles = tileRange.start.bindMemory(to: AttentionTile.self, capacity: limits.maxTokenCount)
        let layerRange = try pool.allocate(
            byteCount: plan.cacheLayers.count * MemoryLayout<CacheView.Layer>.stride, for: .scratch)
        cacheLayers = layerRange.start.bindMemory(to: CacheView.Layer.self, capacity: plan.cacheLayers.count)
        let groupCount = max(1, plan.cacheLayers.count)
        let groupRange = try pool.allocate(
            byteCount: groupCount * MemoryLayout<BatchView.Group>.stride, for: .scratch)
        batchGroups = groupRange.start.bindMemory(to: BatchView.Group.self, capacity: groupCount)

        self.queriesPerTile = queriesPerTile
        self.limits = limits
        self.kernels = kernels
        self.workers = workers
        shapes = plan.cacheLayers
        vocabularySize = plan.logits.map { plan[$0].width } ?? 0
        ranges = builder.ranges + [attentionScratch, selectedScratch, tileRange, layerRange, groupRange]
        logits = builder.logits
    }

    func attach(_ cache: KVCacheMemory) {
        precondition(cache.layout.layers.map(\.shape) == shapes, "a cache with other layers than the plan's")
        for (index, layer) in cache.layout.layers.enumerated() {
            let ranges = cache.physicalLayers[layer.physicalLayer]
            cacheLayers[index] = CacheView.Layer(
                keys: ranges.keys.start, values: ranges.values.start, group: layer.group, blockSize: layer.blockSize,
                blockStride: layer.blockByteCount / (cache.type.elementType?.byteCount ?? 1))
        }
        attached = cache
        self.cache = CacheView(elementType: cache.type.kernelType, layers: cacheLayers)
    }

    func setAdapter(_ matrices: [MatrixSetID: HostTensor], slot: Int) {
        for (set, slots) in adapterSlots { slots.set(matrices[set], slot: slot) }
    }

    func copyBlocks(_ copies: [BlockMove]) {
        attached?.copyOnHost(copies)
    }

    func submit(_ batch: borrowing ForwardBatch) {
        precondition(submittedRowCount == nil, "wait for the last batch before submit")
        precondition(batch.tokenCount <= limits.maxTokenCount, "more tokens than the plan was prepared for")
        precondition(batch.sequenceCount <= limits.maxSequenceCount, "more sequences than the plan was prepared for")
        precondition(batch.sampleRows.count <= limits.maxSampleCount, "more samples than the plan was prepared for")
        precondition(cache != nil || shapes.isEmpty, "attach a cache before submit")
        precondition(
            attached.map { batch.fits($0.layout) } ?? true, "a batch for other cache groups than the cache's")
        makeTiles(batch)
        for counter in counters { counter.reset() }
        BatchView.with(batch, groups: batchGroups) { view in
            self.batch = view
            workers.run(self)
            self.batch = nil
        }
        submittedRowCount = batch.sampleRows.count
    }

    func wait() -> SampledRows {
        guard let rowCount = submittedRowCount.take() else { preconditionFailure("submit a batch before wait") }
        return SampledRows(rowCount: rowCount, vocabularySize: vocabularySize, logits: logits)
    }

    /// Cuts each sequence's queries into tiles. The last queries come first, as they attend to the most positions.
    private func makeTiles(_ batch: borrowing ForwardBatch) {
        tileCount = 0
        for sequence in 0..<batch.sequenceCount {
            let start = Int(batch.queryStarts[sequence])
            var end = Int(batch.queryStarts[sequence + 1])
            while end > start {
                let first = max(start, end - queriesPerTile)
                tiles[tileCount] = AttentionTile(
                    sequence: Int32(truncatingIfNeeded: sequence), firstRow: Int32(truncatingIfNeeded: first),
                    rowCount: Int32(truncatingIfNeeded: end - first))
                tileCount += 1
                end = first
            }
        }
    }

    func perform(thread: Int, of team: WorkerTeam) {
        guard let batch else { return }
        // Without cache layers nothing reads the view.
        let cache = self.cache ?? CacheView(elementType: .f32, layers: cacheLayers)
        let tokens = share(of: batch.tokenCount, thread: thread, threadCount: team.threadCount)
        // Every stage over tokens splits the rows in the same way, so each thread has computed its own rows' angles.
        for angles in program.angles { angles.compute(rows: tokens, positions: batch.positions) }
        for (index, stage) in program.stages.enumerated() {
            if case .adapters = stage, batch.adapterSlots == nil { continue }
            if index > 0 { team.synchronize() }
            switch stage {
            case .rows(let rows, let range):
                performRows(range, batch.rowCount(rows), thread, team.threadCount, batch, cache)
            case .linears(let rows, let range):
                performLinears(range, batch.rowCount(rows), thread, team.threadCount)
            case .selected(let rows, let range):
                performSelected(range, batch.rowCount(rows), thread, team.threadCount, batch)
            case .adapters(let range):
                performSelected(range, batch.tokenCount, thread, team.threadCount, batch)
            case .attention(let kernel, let counter):
                performAttention(kernel, counters[counter], thread, batch, cache)
            }
        }
    }

    @inline(__always)
    private func performRows(
        _ range: Range<Int>, _ rowCount: Int, _ thread: Int, _ threadCount: Int, _ batch: BatchView,
        _ cache: CacheView
    ) {
        let rowsOfATile = 8
        let rows = share(of: rowCount, thread: thread, threadCount: threadCount)
        var first = rows.lowerBound
        while first < rows.upperBound {
            let last = min(first + rowsOfATile, rows.upperBound)
            for index in range {
                program.rowKernels[index].perform(
                    rows: first..<last, thread: thread, batch: batch, cache: cache, kernels: kernels)
            }
            first = last
        }
    }

    @inline(__always)
    private func performLinears(_ range: Range<Int>, _ rowCount: Int, _ thread: Int, _ threadCount: Int) {
        guard rowCount > 0 else { return }
        var total = 0
        for index in range { total += program.linearKernels[index].cost(rowCount: rowCount) }
        let mine = share(of: total, thread: thread, threadCount: threadCount)
        var base = 0
        for index in range {
            let kernel = program.linearKernels[index]
            kernel.perform(costs: (mine.lowerBound - base)..<(mine.upperBound - base), rowCount: rowCount)
            base += kernel.cost(rowCount: rowCount)
        }
    }

    @inline(__always)
    private func performSelected(
        _ range: Range<Int>, _ rowCount: Int, _ thread: Int, _ threadCount: Int, _ batch: BatchView
    ) {
        for index in range {
            program.selectedKernels[index].perform(
                rowCount: rowCount, adapterSlots: batch.adapterSlots, thread: thread, threadCount: threadCount,
                scratch: selectedScratch.start + thread * selectedScratchByteCount)
        }
    }

    @inline(__always)
    private func performAttention(
        _ kernel: AttentionKernel, _ counter: SharedCounter, _ thread: Int, _ batch: BatchView, _ cache: CacheView
    ) {
        let scratch = attentionScratch.start.assumingMemoryBound(to: Float.self) + thread * attentionScratchCount
        let itemCount = tileCount * kernel.keyValueHeadCount
        while true {
            let item = counter.take()
            guard item < itemCount else { return }
            let (tile, head) = item.quotientAndRemainder(dividingBy: kernel.keyValueHeadCount)
            kernel.perform(
                tile: tiles[tile], head: head, batch: batch, cache: cache, kernels: kernels, scratch: scratch)
        }
    }
}
