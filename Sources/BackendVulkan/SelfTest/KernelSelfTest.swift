import Backends
import CVulkan

/// Runs a new kernel once on small inputs and compares with plain Swift: drivers have bugs, and a wrong kernel must
/// not become a wrong answer.
final class KernelSelfTest: Sendable {
    private let device: VulkanDevice

    init(_ device: VulkanDevice) { self.device = device }

    /// Throws `kernel` where `pipeline`, which was compiled from `kernel` with `definitions`, computes something else.
    func check(
        _ pipeline: Pipeline, of kernel: some Kernel, definitions: ShaderDefinitions
    ) throws(BackendError) {
        let variant = pipeline.variant.name
        let trial = kernel.selfTest(of: pipeline.variant)
        let words = try run(trial, on: pipeline)
        let result = trial.read(words)
        var difference = 0.0
        var square = 0.0
        for (left, right) in zip(result, trial.expected) {
            difference += (Double(left) - right) * (Double(left) - right)
            square += right * right
        }
        let unpacksHalves = kernel.unpacksHalfScales && definitions[KernelLibrary.halvesByIntegers] == nil
        let isStruck =
            device.faults.strike(.selfTest(variant)) != nil
            || unpacksHalves && device.faults.strike(.halves) != nil
        let error = isStruck ? .infinity : difference / square
        guard error <= trial.tolerance else {
            throw .kernel(name: variant, reason: "its self-test is off by \(error), relative and squared")
        }
    }

    /// The words of the output after one dispatch.
    func run(_ trial: SelfTestCase, on pipeline: Pipeline) throws(BackendError) -> [UInt32] {
        var ranges: [MemoryRange] = []
        for words in trial.bindings {
            let buffer = try VulkanBuffer(
                byteCount: words.count * 4, use: "self-tests", location: .host, device: device, transfers: nil)
            try words.withUnsafeBufferPointer { words throws(BackendError) in
                try buffer.write(UnsafeRawBufferPointer(words), at: 0)
            }
            ranges.append(MemoryRange(buffer: buffer, byteOffset: 0, byteCount: words.count * 4))
        }
        let dispatch = Dispatch(
            kernels: [DispatchKernel(maxRowCount: .max, rowsPerGroup: trial.rowsPerGroup, pipeline: pipeline)],
            bindings: ranges, parameters: trial.parameters, rows: .tokens, groupCount: trial.groupCount)
        var phases = [DispatchPhase(dispatches: [dispatch])]
        let sets = try DescriptorSets(for: &phases, device: device)
        var recorder = try StepRecorder(CommandBuffers(device, count: 1), device: device)
        try recorder.record(phases[0]) { _ in
            trial.rowCount
        } scoreCount: { _ in
            0
        }
        try recorder.finish()
        var words = [UInt32](repeating: 0, count: trial.bindings[trial.output].count)
        try withExtendedLifetime(sets) { () throws(BackendError) in
            try words.withUnsafeMutableBufferPointer { words throws(BackendError) in
                try ranges[trial.output].buffer.read(into: UnsafeMutableRawBufferPointer(words), at: 0)
            }
        }
        return words
    }
}
