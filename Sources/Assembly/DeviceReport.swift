import BackendVulkan

/// One device for people: what it is, what it can do, and which kernels it gets and why.
public struct DeviceReport: Sendable, CustomStringConvertible {
    private let device: VulkanBackend.Listing

    /// Every Vulkan device of this machine. Throws where there is no loader; the report of a device that cannot be opened
    /// says why.
    public static func all() throws -> [DeviceReport] {
        try VulkanBackend.devices().map { DeviceReport(device: $0) }
    }

    /// Whether it is a GPU that may be used, and no software driver.
    public var isGPU: Bool { ![.processor, .other].contains(device.facts.kind) && device.obstacle == nil }

    /// Lines about what the Vulkan loader sees on this machine and cannot use, and what to do; none where all is well.
    ///
    /// - Parameter environment: the values of environment variables, which say where drivers are.
    public static func obstacles(environment: (String) -> String?) -> [String] {
        let obstacles = DriverCheck.obstacles(environment: environment)
        var usual: [String] = []
        for case .noDevice(let manifest) in obstacles {
            usual.append(manifest.split(separator: "/").last.map { String($0) } ?? manifest)
        }
        let lines = obstacles.filter { !$0.isUsual }.map(\.description)
        return usual.isEmpty
            ? lines : lines + ["drivers that find no device of theirs: \(usual.joined(separator: ", "))"]
    }

    /// A text that differs between devices, and between drivers of one device.
    public var identity: String { "\(device.facts.name), \(device.facts.uuidText), \(device.facts.driver)" }

    /// A dozen lines.
    public var description: String {
        let facts = device.facts
        let can = device.capabilities
        let features = can.features.map { ($0.isPresent ? "" : "no ") + $0.name }.joined(separator: ", ")
        var lines = [
            "\(facts.index): \(facts.name) (\(facts.kind.rawValue))",
            "   uuid      \(facts.uuidText)",
            "   driver    \(facts.driver), Vulkan \(facts.apiVersionText)",
            "   memory    \(size(facts.memoryByteCount))",
            "   limits    ranges \(size(can.maxRangeByteCount)), allocations \(size(can.maxAllocationByteCount)), "
                + "shared memory \(size(can.sharedMemoryByteCount)), \(can.maxInvocationCount) invocations",
            "   features  subgroups of \(can.subgroupSize), \(features)",
        ]
        if let obstacle = device.obstacle { return (lines + ["   not used  \(obstacle)"]).joined(separator: "\n") }
        do {
            let backend = try VulkanBackend(options)
            for (index, kernel) in backend.kernelSelections.enumerated() {
                let reasons = kernel.rejections.map { "; not \($0.variant): \($0.reason)" }.joined()
                lines.append(
                    (index == 0 ? "   kernels   " : "             ")
                        + "\(kernel.operation): \(kernel.variant ?? "none")\(reasons)")
            }
        } catch {
            lines.append("   not used  \(error)")
        }
        return lines.joined(separator: "\n")
    }

    private var options: VulkanOptions {
        var options = VulkanOptions()
        options.device = "\(device.facts.index)"
        return options
    }

    private func size(_ byteCount: Int) -> String {
        let tenths = byteCount / (1 << 20) * 10 / 1024
        if byteCount >= 1 << 30 { return "\(tenths / 10).\(tenths % 10) GiB" }
        return byteCount >= 1 << 20 ? "\(byteCount >> 20) MiB" : "\(byteCount >> 10) KiB"
    }
}
