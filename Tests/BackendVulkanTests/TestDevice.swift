import Backends
import Testing

@testable import BackendVulkan

/// A device of this machine, with limits that hide some of its capabilities.
struct TestDevice: Sendable, CustomTestStringConvertible {
    let index: Int
    let name: String
    var limits = CapabilityLimits()
    var limitsText = "everything it has"

    /// Whether its tests need not have everything: SwiftShader takes long to compile, and beside it is another driver.
    var isSlow: Bool { name.hasPrefix("SwiftShader") && Self.all.count > 1 }

    var testDescription: String { "\(name) with \(limitsText)" }

    /// Every device that a driver offers; empty where there is none, which `DeviceTests` reports.
    static let all: [TestDevice] =
        (try? VulkanBackend.devices().map { TestDevice(index: $0.facts.index, name: $0.facts.name) }) ?? []

    /// Those for tests of what no driver has a say in.
    static let quick: [TestDevice] = all.filter { !$0.isSlow }

    /// The same devices, each with the least that a device can have, and as one with memory of its own.
    static let limited: [TestDevice] = all.flatMap { device in
        var poor = device
        poor.limits.without = Set(CapabilityLimits.Feature.allCases).subtracting([.unifiedMemory])
        poor.limits.sharedMemoryByteCount = 16 << 10
        poor.limits.maxRangeByteCount = 64 << 20
        poor.limits.maxAllocationByteCount = 256 << 20
        poor.limitsText = "no features, 16 KiB shared memory, 64 MiB ranges, 256 MiB allocations"
        var discrete = device
        discrete.limits.without = [.unifiedMemory]
        discrete.limitsText = "memory that the host cannot address"
        return [poor, discrete]
    }

    /// A backend on it, with the validation layer looking on.
    func backend(
        faults: FaultInjector = FaultInjector(), _ change: (inout VulkanOptions) -> Void = { _ in }
    ) throws(BackendError) -> VulkanBackend {
        var options = VulkanOptions()
        options.device = "\(index)"
        options.limits = limits
        options.isValidating = true
        change(&options)
        return try VulkanBackend(options, faults: faults)
    }
}
