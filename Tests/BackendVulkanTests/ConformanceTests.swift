import BackendConformance
import BackendVulkan
import Backends
import Synchronization
import Tensors
import Testing

@Suite struct ConformanceTests {
    @Test(
        "Every operation agrees with the reference, and its bits do not depend on the rest of the batch",
        arguments: TestDevice.all)
    func everything(device: TestDevice) throws {
        // Another driver compiles the same kernels: it need not see every two choices together.
        let (formats, coverage) = device.isSlow ? (Self.scalings, Coverage.each) : (WeightFormat.all, .pairs)
        try run(
            BackendConformance.cases(weightFormats: formats, activationTypes: [.f32], coverage: coverage), on: device)
    }

    @Test("Every operation agrees with the reference on devices with fewer capabilities", arguments: TestDevice.limited)
    func underLimits(device: TestDevice) throws {
        try run(
            BackendConformance.cases(
                weightTypes: [.bf16], cacheTypes: [.f16], weightFormats: Self.formats(for: device),
                activationTypes: [.f32], coverage: .each),
            on: device)
    }

    /// Every number of bits, every scaling of codes, every type of scales.
    private static let formats =
        scalings + [BlockFormat.q3K, .q6K, .mxfp4].map { WeightFormat.blocks($0) } + [
            .groups(bitCount: 2, groupSize: 32, scaleType: .bf16, hasZeros: false),
            .groups(bitCount: 8, groupSize: nil),
        ]

    /// Every scaling of codes.
    private static let scalings =
        fewFormats + [BlockFormat.q5_0, .q2K, .q5K].map { WeightFormat.blocks($0) } + [.float8(groupSize: 128)]

    /// Blocks and groups, with and without reordered inputs, with scales of 16 and 32 bits.
    private static let fewFormats: [WeightFormat] = [
        .blocks(.q4_1), .blocks(.iq4XS), .blocks(.iq3S), .blocks(.iq1M),
        .groups(bitCount: 3, groupSize: 64, isReordered: true),
        .groups(bitCount: 4, groupSize: 128, scaleType: .f32),
    ]

    /// Kernels share parts, so a driver that miscompiles a part shows it in any format that uses the part.
    private static func formats(for device: TestDevice) -> [WeightFormat] { device.isSlow ? fewFormats : formats }

    @Test("16-bit arithmetic stays within the tolerance of 16-bit weights", arguments: TestDevice.all)
    func half(device: TestDevice) throws {
        var card = device
        card.limits.without = [.processorLanes, .unifiedMemory]
        let backend = try card.backend { $0.isBatchInvariant = false }
        let suite = BackendConformance(backend, batchInvariance: .withinTolerance)
        // What multiplies with a matrix of 16-bit weights.
        let cases = BackendConformance.cases(
            weightTypes: [.bf16], cacheTypes: [.f16], weightFormats: [], coverage: .each
        )
        .filter { trial in ["linear", "tied", "layers", "experts", "adapters"].contains { trial.name.contains($0) } }
        for trial in cases {
            let result = try suite.run(trial)
            #expect(result.hasPassed, "\(result)")
        }
        // The 16-bit kernel is the one that ran, where the device has it.
        let choice = try #require(backend.kernelSelections.first { $0.operation == "gemm_half" })
        #expect(choice.variant == (backend.capabilities.hasFloat16 ? "gemm_half" : "gemm"))
        #expect(try #require(backend.validationMessages, "the validation layer is missing") == [])
    }

    @Test("A card's attention stages caches of every type in shared memory", arguments: TestDevice.all)
    func sharedAttention(device: TestDevice) throws {
        var card = device
        card.limits.without = [.processorLanes, .unifiedMemory]
        let cases = BackendConformance.cases(
            weightTypes: [], cacheTypes: [.f32, .bf16, .int8], weightFormats: [], coverage: .each)
        try run(
            cases.filter { trial in ["attention", "cache groups"].contains { trial.name.hasPrefix($0) } }, on: card)
    }

    @Test("A card's products with experts and adapters agree with the reference", arguments: TestDevice.quick)
    func selectedMatrices(device: TestDevice) throws {
        var card = device
        card.limits.without = [.processorLanes, .unifiedMemory]
        let cases = BackendConformance.cases(
            cacheTypes: [], weightFormats: Self.formats, activationTypes: [.f32], coverage: .each)
        try run(cases.filter { $0.name.contains("experts") || $0.name.hasPrefix("adapters") }, on: card)
    }

    @Test("Kernels whose workgroups are submitted one by one compute the same", arguments: TestDevice.all)
    func splitDispatches(device: TestDevice) throws {
        for limits in [[], [.processorLanes, .unifiedMemory]] as [Set<CapabilityLimits.Feature>] {
            var careful = device
            careful.limits.without = limits
            careful.limits.submissionWork = 1
            let cases = BackendConformance.cases(
                weightTypes: [.bf16], cacheTypes: [.f16], weightFormats: [.blocks(.q4_1)], activationTypes: [.f32],
                coverage: .each)
            try run(
                cases.filter { trial in
                    ["linear", "attention", "adapters"].contains { trial.name.hasPrefix($0) }
                        || trial.name.contains("experts")
                }, on: careful)
        }
    }

    @Test("Integer products of 24-bit activations are as exact as 32-bit floats", arguments: TestDevice.all)
    func exactIntegers(device: TestDevice) throws {
        var card = device
        card.limits.without = [.processorLanes, .unifiedMemory]
        try run(Self.quantizedCases(for: device, activations: .f32), on: card, .int24)
    }

    @Test(
        "Fewer bits round no more than bf16 does", arguments: TestDevice.all, [ActivationType.int16, .int8])
    func roundedIntegers(device: TestDevice, activations: ActivationType) throws {
        try run(Self.quantizedCases(for: device, activations: .bf16), on: device, activations)
    }

    /// Linear operations on quantized weights, and what their inputs come from.
    private static func quantizedCases(for device: TestDevice, activations: ElementType) -> [ConformanceCase] {
        BackendConformance.cases(
            weightTypes: [], cacheTypes: [], weightFormats: formats(for: device), activationTypes: [activations]
        ).filter {
            $0.name.hasPrefix("linear") || $0.name.contains("experts") || activations == .f32 && $0.name.hasPrefix("t")
        }
    }

    /// Runs `cases`, and requires that no kernel is replaced by another because it fails its self-test: the other would hide
    /// the fault.
    private func run(
        _ cases: [ConformanceCase], on device: TestDevice, _ activations: ActivationType = .f32
    ) throws {
        let fallbacks = Mutex<[String]>([])
        let backend = try device.backend { options in
            options.activations = activations
            options.onFallback = { report in fallbacks.withLock { $0.append(report) } }
        }
        try run(cases, on: backend)
        #expect(fallbacks.withLock { $0 } == [])
    }

    private func run(_ cases: [ConformanceCase], on backend: VulkanBackend) throws {
        let suite = BackendConformance(backend, batchInvariance: .bitwise)
        for trial in cases {
            let result = try suite.run(trial)
            #expect(result.hasPassed, "\(result)")
        }
        #expect(try #require(backend.validationMessages, "the validation layer is missing") == [])
    }
}
