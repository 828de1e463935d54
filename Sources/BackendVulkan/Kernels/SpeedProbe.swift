import Backends
import CVulkan

/// Measures the highest memory bandwidth and rate of arithmetic that a device reaches.
struct SpeedProbe {
    private let device: VulkanDevice
    private let library: KernelLibrary
    private let commands: CommandBuffers
    private let timer: DispatchTimer

    /// Bytes to copy or read: many times the size of caches, and less than devices have.
    private static let copyByteCount = 512 << 20
    private static let group = 64
    private static let chainCount = 8
    /// The least number of trials, and of seconds for all: an idle device takes some tenths to reach its full clock.
    private static let (trialCount, trialSeconds) = (5, 0.3)

    init(_ device: VulkanDevice, library: KernelLibrary) throws(BackendError) {
        self.device = device
        self.library = library
        commands = try CommandBuffers(device, count: 1)
        timer = try DispatchTimer(device, dispatchCount: 1)
    }

    /// The bandwidth of copying or of reading, whichever is higher: many devices copy with an engine of their own.
    func memoryBytesPerSecond() throws(BackendError) -> Double {
        let byteCount = min(
            Self.copyByteCount, device.capabilities.maxAllocationByteCount, device.capabilities.maxRangeByteCount)
        func buffer() throws(BackendError) -> VulkanBuffer {
            try VulkanBuffer(
                byteCount: byteCount, use: "a copy", location: .device(isUnified: false), device: device, transfers: nil
            )
        }
        let (source, target) = (try buffer(), try buffer())
        let copying = try shortest { buffer in
            var region = VkBufferCopy(srcOffset: 0, dstOffset: 0, size: VkDeviceSize(byteCount))
            device.functions.CmdCopyBuffer(buffer, source.handle, target.handle, 1, &region)
        }
        func range(_ buffer: VulkanBuffer) -> MemoryRange {
            MemoryRange(buffer: buffer, byteOffset: 0, byteCount: byteCount)
        }
        let program = try Program<MemoryRead>(
            MemoryRead.variant, ["GROUP": 4 * Self.group], [.input: range(source), .output: range(target)], library,
            device)
        // Some loads for each invocation, and more invocations than a device has room for.
        let wordCount = byteCount / 16
        let groupCount = max(1, wordCount / (4 * Self.group * 8))
        let reading = try shortest { buffer in
            program.record(
                into: buffer,
                .init(count: UInt32(wordCount), stepSize: UInt32(groupCount * 4 * Self.group)),
                groupCount: groupCount)
        }
        return Double(byteCount) * max(2 / copying, 1 / reading)
    }

    func operationsPerSecond() throws(BackendError) -> Double {
        let result = try VulkanBuffer(byteCount: 16, use: "a sum", location: .host, device: device, transfers: nil)
        let program = try Program<MultiplyAdd>(
            MultiplyAdd.variant, ["GROUP": Self.group, "CHAINS": Self.chainCount],
            [.output: MemoryRange(buffer: result, byteOffset: 0, byteCount: 16)], library, device)
        var (groupCount, stepCount) = (256, 64)
        // Longer, and wider where that is free, until the start of a dispatch does not matter.
        while true {
            let seconds = try shortest { buffer in
                program.record(
                    into: buffer, .init(stepCount: UInt32(stepCount), factor: 0.5), groupCount: groupCount)
            }
            guard seconds < 0.01, stepCount < 1 << 20 else {
                return Double(groupCount * Self.group * stepCount * Self.chainCount * 4 * 2) / seconds
            }
            stepCount *= 2
            groupCount = min(groupCount * 2, 1 << 14)
        }
    }

    /// The shortest of some trials, after one that warms up.
    private func shortest(_ record: (VkCommandBuffer) -> Void) throws(BackendError) -> Double {
        var best = Double.infinity
        var spent = 0.0
        var trial = 0
        while trial <= Self.trialCount || spent < Self.trialSeconds {
            let buffer = try commands.begin(0)
            timer.start(buffer)
            timer.mark(buffer)
            record(buffer)
            timer.mark(buffer)
            try commands.submit(0, isLast: true)
            try commands.wait()
            let seconds = max(try timer.seconds()[0], 1e-9)
            if trial > 0 { best = min(best, seconds) }
            // Bounded even where the device reports no time at all.
            spent += max(seconds, Self.trialSeconds / 1000)
            trial += 1
        }
        return best
    }
}

/// Nothing but reading (`read.comp`).
private enum MemoryRead: KernelInterface {
    enum Binding: KernelBinding { case input, output }

    struct Parameters: KernelParameters {
        /// `uvec4` that are read.
        var count: UInt32
        /// Invocations: the distance between the loads of one.
        var stepSize: UInt32
    }

    static let variant = KernelVariant(name: "read", parts: [PackageResources.read_comp])
}

/// Nothing but multiplications and additions (`multiply.comp`).
private enum MultiplyAdd: KernelInterface {
    enum Binding: KernelBinding { case output }

    struct Parameters: KernelParameters {
        var stepCount: UInt32
        var factor: Float
    }

    static let variant = KernelVariant(name: "multiply", parts: [PackageResources.multiply_comp])
}

/// A kernel and the buffers that it works on.
private struct Program<K: KernelInterface> {
    private let dispatch: Dispatch
    private let pipeline: Pipeline
    private let sets: DescriptorSets
    private let device: VulkanDevice

    init(
        _ variant: KernelVariant, _ definitions: ShaderDefinitions, _ bindings: [K.Binding: MemoryRange],
        _ library: KernelLibrary, _ device: VulkanDevice
    ) throws(BackendError) {
        self.device = device
        pipeline = try library.compile(K.self, variant, definitions)
        var phases = [
            DispatchPhase(dispatches: [
                Dispatch(
                    kernels: [DispatchKernel(maxRowCount: .max, rowsPerGroup: 1, pipeline: pipeline)],
                    bindings: K.Binding.ordered(bindings), parameters: [], rows: .tokens, groupCount: 1)
            ])
        ]
        sets = try DescriptorSets(for: &phases, device: device)
        dispatch = phases[0].dispatches[0]
    }

    func record(into buffer: VkCommandBuffer, _ parameters: K.Parameters, groupCount: Int) {
        var set = dispatch.set
        let functions = device.functions
        functions.CmdBindPipeline(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.handle)
        functions.CmdBindDescriptorSets(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout, 0, 1, &set, 0, nil)
        // The row count comes first.
        ([1] + parameters.words).withUnsafeBytes { bytes in
            functions.CmdPushConstants(
                buffer, pipeline.layout, VK_SHADER_STAGE_COMPUTE_BIT.rawValue, 0, UInt32(bytes.count),
                bytes.baseAddress)
        }
        functions.CmdDispatchBase(buffer, 0, 0, 0, UInt32(groupCount), 1, 1)
    }
}
