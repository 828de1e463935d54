public import Backends

extension VulkanBackend {
    /// A device of this machine.
    public struct Listing: Sendable {
        public let facts: VulkanDeviceFacts
        public let capabilities: DeviceCapabilities
        /// Why it cannot be used; nil: it may.
        public let obstacle: VulkanObstacle?
    }

    /// The kernel variant that an operation gets, and why.
    public struct KernelSelection: Sendable, Hashable {
        public let operation: String
        /// The variant in use; nil where none is left.
        public let variant: String?
        /// Better variants and why they are not in use.
        public let rejections: [KernelRejection]
    }

    /// Every Vulkan device of this machine. Throws `unavailable` where there is no loader.
    public static func devices() throws(BackendError) -> [Listing] {
        let instance = try VulkanInstance(try VulkanLoader(), isValidating: false)
        return try instance.devices().map {
            Listing(facts: $0.facts, capabilities: $0.capabilities, obstacle: $0.obstacle)
        }
    }

    /// For each operation the kernel variant in use and why it is this one.
    public var kernelSelections: [KernelSelection] {
        KernelCatalog.operations.map { operation in
            let (variant, rejections) = library.selection(of: operation)
            return KernelSelection(operation: operation.name, variant: variant?.name, rejections: rejections)
        }
    }
}

/// A kernel variant that is not in use.
public struct KernelRejection: Sendable, Hashable {
    public let variant: String
    public let reason: String
}
