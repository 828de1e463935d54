import Backends
import CVulkan
import Shaders

/// Measures what a device reaches when it does nothing else.
struct SpeedProbe {
    private let device: VulkanDevice
    private let library: KernelLibrary
    private let commands: CommandBuffers
    private let timer: DispatchTimer

    /// Bytes of a copy: more than caches hold, less than devices have.
    private static let copyByteCount = 128 << 20
    private static let group = 64
    private static let chainCount = 8
    private static let trialCount = 5

    init(_ device: VulkanDevice, library: KernelLibrary) throws(BackendError) {
        self.device = device
        self.library = library
        commands = try CommandBuffers(device, count: 1)
        timer = try DispatchTimer(device, dispatchCount: 1)
    }

    func copyBytesPerSecond() throws(BackendError) -> Double {
        let byteCount = min(Self.copyByteCount, device.capabilities.maxAllocationByteCount)
        func buffer() throws(BackendError) -> VulkanBuffer {
            try VulkanBuffer(
                byteCount: byteCount, use: "a copy", place: .device(isUnified: false), device: device, transfers: nil)
        }
        let (source, target) = (try buffer(), try buffer())
        let seconds = try shortest { buffer in
            var region = VkBufferCopy(srcOffset: 0, dstOffset: 0, size: VkDeviceSize(byteCount))
            device.functions.CmdCopyBuffer(buffer, source.handle, target.handle, 1, &region)
        }
        return 2 * Double(byteCount) / seconds
    }

    func operationsPerSecond() throws(BackendError) -> Double {
        let variant = KernelVariant(name: "multiply", files: [.multiply])
        let pipeline = try library.make(variant, ["GROUP": Self.group, "CHAINS": Self.chainCount], 1)
        let result = try VulkanBuffer(byteCount: 16, use: "a sum", place: .host, device: device, transfers: nil)
        var dispatch = Dispatch(
            choices: [KernelChoice(maxRowCount: .max, rowsPerGroup: 1, pipeline: pipeline)],
            bindings: [MemoryRange(buffer: result, byteOffset: 0, byteCount: 16)], constants: [], rows: .tokens,
            groupCount: 1)
        var phases = [DispatchPhase(dispatches: [dispatch])]
        let sets = try DescriptorSets(for: &phases, device: device)
        dispatch = phases[0].dispatches[0]
        var (groupCount, stepCount) = (256, 64)
        // Longer, and wider where that is free, until the start of a dispatch does not matter.
        while true {
            let count = [UInt32(1), UInt32(stepCount), Float(0.5).bitPattern]
            let seconds = try withExtendedLifetime(sets) { () throws(BackendError) in
                try shortest { buffer in
                    var set = dispatch.set
                    let functions = device.functions
                    functions.CmdBindPipeline(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.handle)
                    functions.CmdBindDescriptorSets(
                        buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout, 0, 1, &set, 0, nil)
                    count.withUnsafeBytes { bytes in
                        functions.CmdPushConstants(
                            buffer, pipeline.layout, VK_SHADER_STAGE_COMPUTE_BIT.rawValue, 0, UInt32(bytes.count),
                            bytes.baseAddress)
                    }
                    functions.CmdDispatch(buffer, UInt32(groupCount), 1, 1)
                }
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
        for trial in 0...Self.trialCount {
            let buffer = try commands.begin(0)
            timer.start(buffer)
            timer.mark(buffer)
            record(buffer)
            timer.mark(buffer)
            try commands.submit(0, isLast: true)
            try commands.wait()
            let seconds = try timer.seconds()
            if trial > 0 { best = min(best, max(seconds[0], 1e-9)) }
        }
        return best
    }
}
