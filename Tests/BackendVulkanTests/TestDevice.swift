import Backends
import BackendVulkan
import Testing

/// A device of this machine, and what it shall pretend.
struct TestDevice: Sendable, CustomTestStringConvertible {
    let index: Int
    let name: String
    var limits = CapabilityLimits()
    var pretence = "everything it has"

    var testDescription: String { "\(name) with \(pretence)" }

    /// Every device that a driver offers. Empty where there is none, which a test of its own reports.
    static let all: [TestDevice] =
        (try? VulkanBackend.devices().map { TestDevice(index: $0.facts.index, name: $0.facts.name) }) ?? []

    /// A backend on it, with the validation layer looking on.
    func backend(_ change: (inout VulkanOptions) -> Void = { _ in }) throws(BackendError) -> VulkanBackend {
        var options = VulkanOptions()
        options.device = "\(index)"
        options.limits = limits
        options.isValidating = true
        change(&options)
        return try VulkanBackend(options)
    }
}
