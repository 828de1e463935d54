import Backends
import CVulkan
import Shaders

/// Measures what a device reaches when it does nothing else.
struct SpeedProbe {
    private let device: VulkanDevice
    private let library: KernelLibrary
    private let commands: CommandBuffers
    private let timer: DispatchTimer

    /// Bytes that are copied or read: many times what caches hold, less than devices have.
    private static let copyByteCount = 512 << 20
    private static let group = 64
    private static let chainCount = 8
    /// Trials, and seconds that they take together: a device that was idle needs some tenths to reach its full clock.
    private static let (trialCount, trialSeconds) = (5, 0.3)

    init(_ device: VulkanDevice, library: KernelLibrary) throws(BackendError) {
        self.device = device
        self.library = library
        commands = try CommandBuffers(device, count: 1)
        timer = try DispatchTimer(device, dispatchCount: 1)
    }

    /// What copying reaches or reading alone, whichever is more: many devices copy with a part of their own.
    func memoryBytesPerSecond() throws(BackendError) -> Double {
        let byteCount = min(
            Self.copyByteCount, device.capabilities.maxAllocationByteCount, device.capabilities.maxRangeByteCount)
        func buffer() throws(BackendError) -> VulkanBuffer {
            try VulkanBuffer(
                byteCount: byteCount, use: "a copy", place: .device(isUnified: false), device: device, transfers: nil)
        }
        let (source, target) = (try buffer(), try buffer())
        let copying = try shortest { buffer in
            var region = VkBufferCopy(srcOffset: 0, dstOffset: 0, size: VkDeviceSize(byteCount))
            device.functions.CmdCopyBuffer(buffer, source.handle, target.handle, 1, &region)
        }
        let program = try Program(
            "read", .read, ["GROUP": 4 * Self.group],
            bindings: [source, target].map { MemoryRange(buffer: $0, byteOffset: 0, byteCount: byteCount) }, library,
            device)
        // Some loads for each invocation, and more invocations than a device has room for.
        let wordCount = byteCount / 16
        let groupCount = max(1, wordCount / (4 * Self.group * 8))
        let reading = try shortest { buffer in
            program.record(
                into: buffer, [1, UInt32(wordCount), UInt32(groupCount * 4 * Self.group)], groupCount: groupCount)
        }
        return Double(byteCount) * max(2 / copying, 1 / reading)
    }

    func operationsPerSecond() throws(BackendError) -> Double {
        let result = try VulkanBuffer(byteCount: 16, use: "a sum", place: .host, device: device, transfers: nil)
        let program = try Program(
            "multiply", .multiply, ["GROUP": Self.group, "CHAINS": Self.chainCount],
            bindings: [MemoryRange(buffer: result, byteOffset: 0, byteCount: 16)], library, device)
        var (groupCount, stepCount) = (256, 64)
        // Longer, and wider where that is free, until the start of a dispatch does not matter.
        while true {
            let seconds = try shortest { buffer in
                program.record(
                    into: buffer, [1, UInt32(stepCount), Float(0.5).bitPattern], groupCount: groupCount)
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
            // Not even a device that is done at once is asked forever.
            spent += max(seconds, Self.trialSeconds / 1000)
            trial += 1
        }
        return best
    }
}

extension SpeedProbe {
    /// A kernel and what it works on.
    private struct Program {
        private let dispatch: Dispatch
        private let pipeline: Pipeline
        private let sets: DescriptorSets
        private let device: VulkanDevice

        init(
            _ name: String, _ file: ShaderFile, _ constants: [String: Int], bindings: [MemoryRange],
            _ library: KernelLibrary, _ device: VulkanDevice
        ) throws(BackendError) {
            self.device = device
            pipeline = try library.make(KernelVariant(name: name, files: [file]), constants, bindings.count)
            var phases = [
                DispatchPhase(dispatches: [
                    Dispatch(
                        choices: [KernelChoice(maxRowCount: .max, rowsPerGroup: 1, pipeline: pipeline)],
                        bindings: bindings, constants: [], rows: .tokens, groupCount: 1)
                ])
            ]
            sets = try DescriptorSets(for: &phases, device: device)
            dispatch = phases[0].dispatches[0]
        }

        func record(into buffer: VkCommandBuffer, _ constants: [UInt32], groupCount: Int) {
            var set = dispatch.set
            let functions = device.functions
            functions.CmdBindPipeline(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.handle)
            functions.CmdBindDescriptorSets(
                buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout, 0, 1, &set, 0, nil)
            constants.withUnsafeBytes { bytes in
                functions.CmdPushConstants(
                    buffer, pipeline.layout, VK_SHADER_STAGE_COMPUTE_BIT.rawValue, 0, UInt32(bytes.count),
                    bytes.baseAddress)
            }
            functions.CmdDispatchBase(buffer, 0, 0, 0, UInt32(groupCount), 1, 1)
        }
    }
}
