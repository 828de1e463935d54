import Backends
import CVulkan
import SharedValues

/// Records the phases of one step and submits them. A step is one submission, unless it would keep the device busy for so
/// long that its driver might kill it: then it is split, between dispatches or between the workgroups of one.
struct StepRecorder {
    /// The maximum number of submissions in flight; a longer step waits for all of them and goes on.
    static let maxSubmissionCount = 64

    private let commands: CommandBuffers
    private let device: VulkanDevice
    /// The maximum of floating-point operations in a submission, as far as dispatches can be split.
    private let maximumWork: Int
    /// Submissions before the one that is being recorded.
    private var submissionCount = 0
    private var buffer: VkCommandBuffer
    private var work = 0
    private var needsBarrier = false
    /// Floating-point operations so far.
    private(set) var totalWork = 0
    /// Dispatches so far.
    private(set) var dispatchCount = 0
    private let timer: DispatchTimer?

    /// With a `timer`, there is a barrier before every dispatch, so that each is timed alone.
    init(
        _ commands: CommandBuffers, device: VulkanDevice, maximumWork: Int = .max, timer: DispatchTimer? = nil
    ) throws(BackendError) {
        self.commands = commands
        self.device = device
        self.maximumWork = maximumWork
        self.timer = timer
        buffer = try commands.begin(0)
        timer?.start(buffer)
    }

    /// Whether all of it is one submission.
    var isWhole: Bool { submissionCount == 0 }

    /// The command buffer in use.
    private var index: Int { submissionCount % commands.count }

    /// Records what `phase` has to do for this batch.
    mutating func record(
        _ phase: DispatchPhase, rowCount: (DispatchRows) -> Int, scoreCount: (DispatchRows) -> Int
    ) throws(BackendError) {
        needsBarrier = needsBarrier || phase.needsBarrier
        for dispatch in phase.dispatches {
            let rows = rowCount(dispatch.rows)
            guard rows > 0, let kernel = dispatch.kernel(forRows: rows) else { continue }
            let cost = rows * dispatch.workPerRow + scoreCount(dispatch.rows) * dispatch.workPerScore
            let columnCount = dispatch.groupCount.dividedUp(by: kernel.pipeline.variant.tilesPerGroup)
            let rowCount = kernel.groupCount(forRows: rows)
            // A part of a dispatch is whole workgroups: `CmdDispatchBase` gives them the ids of the whole.
            let parts = DispatchParts(
                columnCount: columnCount, rowCount: rowCount, count: (cost - 1) / maximumWork + 1)
            try parts.forEach { columns, rowGroups throws(BackendError) in
                let share = cost.dividedUp(by: columnCount * rowCount) * columns.count * rowGroups.count
                if work > 0, work + share > maximumWork { try continueInNextBuffer() }
                work += share
                // Parts of a dispatch write different outputs, so only the first waits.
                if columns.lowerBound == 0, rowGroups.lowerBound == 0 {
                    if needsBarrier || timer != nil { commands.kernelBarrier(buffer) }
                    timer?.mark(buffer)
                }
                record(dispatch, kernel, rows: rows, columns, rowGroups)
            }
            // Where no dispatch of a phase has rows, its barrier is left to the next phase.
            needsBarrier = false
            timer?.mark(buffer)
            totalWork += cost
        }
    }

    private mutating func record(
        _ dispatch: Dispatch, _ kernel: DispatchKernel, rows: Int, _ columns: Range<Int>, _ rowGroups: Range<Int>
    ) {
        let functions = device.functions
        var set = dispatch.set
        functions.CmdBindPipeline(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline.handle)
        functions.CmdBindDescriptorSets(
            buffer, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline.layout, 0, 1, &set, 0, nil)
        // The row count is the first parameter; the others were known when the plan was prepared.
        var count = UInt32(rows)
        let stage = VK_SHADER_STAGE_COMPUTE_BIT.rawValue
        functions.CmdPushConstants(buffer, kernel.pipeline.layout, stage, 0, 4, &count)
        dispatch.parameters.withUnsafeBytes { bytes in
            functions.CmdPushConstants(buffer, kernel.pipeline.layout, stage, 4, UInt32(bytes.count), bytes.baseAddress)
        }
        functions.CmdDispatchBase(
            buffer, UInt32(columns.lowerBound), UInt32(rowGroups.lowerBound), 0, UInt32(columns.count),
            UInt32(rowGroups.count), 1)
        dispatchCount += 1
    }

    /// Copies `bytes` of `source` to the same offset of `target`, or to `offset`, between everything recorded before and
    /// after.
    mutating func copy(_ source: MemoryRange, to target: VulkanBuffer, bytes: Range<Int>, at offset: Int? = nil) {
        guard let from = source.buffer as? VulkanBuffer else { preconditionFailure("memory of another backend") }
        commands.barrier(buffer)
        var region = VkBufferCopy(
            srcOffset: VkDeviceSize(source.byteOffset + bytes.lowerBound),
            dstOffset: VkDeviceSize(offset ?? bytes.lowerBound),
            size: VkDeviceSize(bytes.count))
        device.functions.CmdCopyBuffer(buffer, from.handle, target.handle, 1, &region)
        commands.barrier(buffer)
    }

    /// Submits the rest.
    mutating func submit() throws(BackendError) {
        commands.barrier(buffer)
        try submit(isLast: true)
        device.counters.add(dispatchCount, to: \.dispatches)
    }

    /// Submits the rest and waits for all of it.
    mutating func finish() throws(BackendError) {
        try submit()
        try commands.wait()
    }

    /// Submits what is recorded and goes on in the next command buffer. After the last buffer it waits for all submissions
    /// and starts over with the first.
    private mutating func continueInNextBuffer() throws(BackendError) {
        let isFull = index + 1 == commands.count
        try submit(isLast: isFull)
        if isFull { try commands.wait() }
        submissionCount += 1
        buffer = try leavingNothing { commands throws(BackendError) in try commands.begin(index) }
        work = 0
    }

    private func submit(isLast: Bool) throws(BackendError) {
        try leavingNothing { commands throws(BackendError) in try commands.submit(index, isLast: isLast) }
    }

    /// Runs `body`. Where it throws, earlier submissions of the step must be done before their buffers are used again.
    private func leavingNothing<Result>(
        _ body: (CommandBuffers) throws(BackendError) -> Result
    ) throws(BackendError) -> Result {
        do throws(BackendError) { return try body(commands) } catch {
            device.waitUntilIdle()
            throw error
        }
    }
}
