import Backends
import SharedValues

/// Adds to two counters: chosen experts in the device's memory, and in the host's (`count_experts.comp`).
struct CountExpertsKernel: Kernel {
    enum Binding: KernelBinding { case routes, counters }

    struct Parameters: KernelParameters {
        var routes: RowLayout
        var choiceCount: UInt32
        /// Experts below this number are in the device's memory.
        var deviceCount: UInt32
    }

    static let operations = [KernelOperation("count_experts", parts: [PackageResources.count_experts_comp])]

    /// Rows that the one workgroup counts: all.
    static let rowsPerGroup = 1 << 30

    var definitions: ShaderDefinitions { ElementwiseGroup.definitions }

    /// Forty rows of two choices among eighty experts, of which seventy are on the device.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let routes = (0..<40).flatMap { (row: Int) -> [Float] in [Float(2 * row), Float(79 - row), 0.5, 0.5] }
        return SelfTestCase(
            Self.self, bindings: [.routes: SelfTestCase.bits(routes), .counters: [5, 7]],
            parameters: Parameters(routes: RowLayout(stride: 4), choiceCount: 2, deviceCount: 70), rowCount: 40,
            rowsPerGroup: Self.rowsPerGroup, output: .counters, expected: [5 + 65, 7 + 15],
            read: { $0.map { Float($0) } })
    }
}

/// The counters of the last step that was read.
struct ExpertCounts {
    private var device: UInt32 = 0
    private var host: UInt32 = 0

    /// What `counters`, which wrap around, gained since the last call.
    mutating func rows(since counters: MemoryRange) -> ExpertRows {
        guard let words = counters.hostPointer?.assumingMemoryBound(to: UInt32.self) else {
            preconditionFailure("counters that the host cannot read")
        }
        let rows = ExpertRows(deviceCount: Int(words[0] &- device), hostCount: Int(words[1] &- host))
        (device, host) = (words[0], words[1])
        return rows
    }
}

extension ProgramBuilder {
    /// Counts the experts that `routes` name, where their memory is limited.
    mutating func countExperts(_ routes: ValueID, _ routing: ExpertRouting) throws(BackendError) {
        guard let counters = weights.expertCounters, let deviceCount = weights.placement.deviceCount(of: routes) else {
            return
        }
        let pipeline = try library.pipeline(CountExpertsKernel())
        let kernel = DispatchKernel(
            maxRowCount: .max, rowsPerGroup: CountExpertsKernel.rowsPerGroup, pipeline: pipeline)
        let dispatch = Dispatch(
            CountExpertsKernel.self, [kernel], bindings: [.routes: memory.range(routes), .counters: counters],
            parameters: .init(
                routes: rowLayout(of: routes), choiceCount: UInt32(routing.choiceCount),
                deviceCount: UInt32(deviceCount)),
            rows: DispatchRows(plan[routes].rows), groupCount: 1, label: "count \(routing.choiceCount) experts",
            bytesPerRow: routing.choiceCount * 4)
        append([dispatch], reading: [memory.range(routes), counters], writing: [counters])
    }
}
