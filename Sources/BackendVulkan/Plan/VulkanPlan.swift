import Backends
import Tensors
import CVulkan
import SharedValues

/// A plan as a program of dispatches. A step records and submits them, or submits the last step's recording again.
final class VulkanPlan: PreparedPlan {
    private let memory: PlanMemory
    let device: VulkanDevice
    private let library: KernelLibrary
    private let shapes: KernelShapes
    private let commands: CommandBuffers
    private let copies: BlockCopies
    /// A copy of the logits for the caller, where the host cannot read the device's memory, or only slowly.
    private let readback: VulkanBuffer?
    /// One for each cache group.
    private(set) var tasks: [AttentionTasks] = []
    private var samples = SampleRows()
    /// Nil where the plan has no slots for adapters.
    private var adapters: AdapterTiles?
    private var program: Program?
    /// The recording in the first command buffer, if it can be submitted again.
    private var recorded: RecordedStep?
    private var pace: SubmissionPace
    private var submission: Submission?
    private var expertCounts = ExpertCounts()
    private(set) var expertRows: ExpertRows?

    /// A batch that the device computes, or has computed, and nobody has waited for.
    private struct Submission {
        let rowCount: Int
        let candidates: CandidateTable
        /// The work of a step that was recorded anew, and when its recording began.
        var recording: (work: Int, start: ContinuousClock.Instant)?
    }

    struct Program {
        let phases: [DispatchPhase]
        let sets: DescriptorSets
        let batch: BatchBuffer
        let cache: KVCacheMemory
    }

    init(memory: PlanMemory, device: VulkanDevice, library: KernelLibrary, shapes: KernelShapes) throws(BackendError) {
        self.memory = memory
        self.device = device
        self.library = library
        self.shapes = shapes
        adapters = memory.adapters
        pace = SubmissionPace(fixed: device.capabilities.submissionWork)
        commands = try CommandBuffers(device, count: StepRecorder.maxSubmissionCount)
        copies = try BlockCopies(device)
        let isHostCached = (memory.logits.buffer as? VulkanBuffer)?.isHostCached ?? false
        readback =
            isHostCached
            ? nil
            : try VulkanBuffer(
                byteCount: memory.logits.byteCount, use: "logits", location: .host, device: device, transfers: nil)
    }

    func attach(_ cache: KVCacheMemory) throws(BackendError) {
        precondition(
            cache.layout.layers.map(\.shape) == memory.plan.cacheLayers, "a cache with other layers than the plan's")
        program = nil
        recorded = nil
        let batch = try BatchBuffer(
            limits: memory.limits, groups: cache.layout.groups, taskCount: memory.tasks.taskCount, adapters: adapters,
            device: device)
        adapters?.useNewBuffer()
        var phases = try ProgramBuilder(
            memory: memory, cache: cache, batch: batch, library: library, shapes: shapes
        ).phases
        let sets = try DescriptorSets(for: &phases, device: device)
        tasks = Array(repeating: memory.tasks, count: cache.layout.groups.count)
        program = Program(phases: phases, sets: sets, batch: batch, cache: cache)
        library.save()
    }

    func setAdapter(_ matrices: [MatrixSetID: HostTensor], slot: Int) throws(BackendError) {
        precondition(submission == nil, "wait for the last batch before setAdapter")
        for target in memory.plan.adapterTargets {
            for set in [target.down, target.up] {
                if let matrix = matrices[set] { try memory.weights.matrix(set).write(matrix, slot: slot) }
            }
            adapters?.setPresence(matrices[target.up] != nil, slot: slot, of: target.up)
        }
    }

    func copyBlocks(_ copies: [BlockMove]) throws(BackendError) {
        guard let program else { preconditionFailure("attach a cache before copyBlocks") }
        try self.copies.submit(copies, of: program.cache)
    }

    func finishCopies() throws(BackendError) { try copies.wait() }

    func submit(_ batch: borrowing ForwardBatch) throws(BackendError) {
        precondition(submission == nil, "wait for the last batch before submit")
        let program = try write(batch)
        let width = logitCount
        let candidates = CandidateTable(records: program.batch.candidates, indices: samples.recordIndices)
        let counts = RecordedStep.Counts(batch, tasks, samples, adapters)
        if let recorded, recorded.counts == counts {
            try commands.submitAgain()
            device.counters.add(recorded.dispatchCount, to: \.dispatches)
            submission = Submission(rowCount: batch.sampleRows.count, candidates: candidates)
        } else {
            recorded = nil
            let start = ContinuousClock.now
            var recorder = try StepRecorder(commands, device: device, maximumWork: pace.work)
            for phase in program.phases { try record(phase, batch, into: &recorder) }
            if let readback {
                samples.forEachWholeRun { rows in
                    recorder.copy(
                        memory.logits, to: readback, bytes: rows.lowerBound * width * 4..<rows.upperBound * width * 4)
                }
            }
            try recorder.submit()
            recorded = RecordedStep(counts, recorder)
            submission = Submission(
                rowCount: batch.sampleRows.count, candidates: candidates, recording: (recorder.totalWork, start))
        }
    }

    func wait() throws(BackendError) -> SampledRows {
        guard let submission = submission.take() else { preconditionFailure("submit a batch before wait") }
        do throws(BackendError) { try commands.wait() } catch {
            recorded = nil
            throw error
        }
        if let (work, start) = submission.recording {
            pace.learn(work: work, seconds: (ContinuousClock.now - start) / .seconds(1))
        }
        if let counters = memory.weights.expertCounters { expertRows = expertCounts.rows(since: counters) }
        return SampledRows(
            rowCount: submission.rowCount, vocabularySize: logitCount, logits: hostLogits,
            candidates: submission.candidates)
    }

    deinit {
        // Command buffers and memory must not go while the device uses them.
        if submission != nil { device.waitUntilIdle() }
    }

    /// Writes the arrays of the batch into the memory that kernels read.
    private func write(_ batch: borrowing ForwardBatch) throws(BackendError) -> Program {
        let limits = memory.limits
        precondition(batch.tokenCount <= limits.maxTokenCount, "more tokens than the plan was prepared for")
        precondition(batch.sequenceCount <= limits.maxSequenceCount, "more sequences than the plan was prepared for")
        precondition(batch.sampleRows.count <= limits.maxSampleCount, "more samples than the plan was prepared for")
        guard let program else { preconditionFailure("attach a cache before submit") }
        let buffer = program.batch
        buffer.write(batch.tokenIDs, to: .tokenIDs)
        buffer.write(batch.positions, to: .positions)
        buffer.write(batch.sampleRows, to: .sampleRows)
        precondition(batch.fits(program.cache.layout), "a batch for other cache groups than the cache's")
        for index in tasks.indices {
            buffer.write(batch.groups[index].slots, to: .slots(index))
            buffer.write(batch.groups[index].blockTables, to: .blockTables(index))
            tasks[index].write(batch, group: index, into: buffer)
        }
        precondition(adapters != nil || batch.adapterSlots.isEmpty, "adapters without slots for them")
        adapters?.write(batch, into: buffer)
        samples.write(batch, into: buffer, isReducing: memory.segments != nil)
        return program
    }

    /// Writes the batch of a timed step, which is recorded anew.
    func beginTiming(_ batch: borrowing ForwardBatch) throws(BackendError) -> Program {
        precondition(submission == nil, "wait for the last batch before time")
        recorded = nil
        return try write(batch)
    }

    func recorder(_ timer: DispatchTimer) throws(BackendError) -> StepRecorder {
        try StepRecorder(commands, device: device, maximumWork: pace.work, timer: timer)
    }

    func record(
        _ phase: DispatchPhase, _ batch: borrowing ForwardBatch, into recorder: inout StepRecorder
    ) throws(BackendError) {
        try recorder.record(phase) { rows in
            count(rows, batch)
        } scoreCount: { rows in
            rows.group.map { tasks[$0].scoreCount } ?? 0
        }
    }

    func count(_ rows: DispatchRows, _ batch: borrowing ForwardBatch) -> Int {
        switch rows {
        case .tokens: batch.tokenCount
        case .samples: batch.sampleRows.count
        case .rowTasks(let group): tasks[group].counts.rowTaskCount
        case .tileTasks(let group): tasks[group].counts.tileTaskCount
        case .reductions(let group): tasks[group].counts.reductionCount
        case .tokensIfUnreduced(let group):
            tasks[group].counts.reductionCount == batch.tokenCount ? 0 : batch.tokenCount
        case .reducedSamples: samples.reducedCount
        case .adapterTiles(let list, let isMany):
            adapters.map { $0.counts.hasMany == isMany ? $0.counts.tileCounts[list] : 0 } ?? 0
        }
    }

    private var logitCount: Int {
        guard let logits = memory.plan.logits else { preconditionFailure("a plan without logits") }
        return memory.plan[logits].width
    }

    func fetchLogits(of row: Int) throws(BackendError) {
        guard let readback else { return }
        let byteCount = logitCount * 4
        recorded = nil
        var recorder = try StepRecorder(commands, device: device)
        recorder.copy(memory.logits, to: readback, bytes: row * byteCount..<(row + 1) * byteCount)
        try recorder.finish()
    }

    private var hostLogits: MemoryRange {
        guard let readback else { return memory.logits }
        return MemoryRange(buffer: readback, byteOffset: 0, byteCount: memory.logits.byteCount)
    }
}
