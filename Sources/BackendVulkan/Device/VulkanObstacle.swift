/// Why something that the Vulkan loader sees cannot be used, and what to do about it.
public enum VulkanObstacle: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file that announces a driver is none.
    case manifest(path: String, reason: String)
    /// A driver's library cannot be opened; the reason is the system's, and names what is missing.
    case library(manifest: String, library: String, reason: String)
    /// A driver's library has no entry point for the loader.
    case noEntryPoint(manifest: String, library: String)
    /// A driver refuses to start.
    case refused(manifest: String, result: String)
    /// A driver starts and finds no device of its kind.
    case noDevice(manifest: String)
    /// A device has an older Vulkan than needed.
    case oldVersion(device: String, found: String, needed: String)
    /// A device cannot compute.
    case noComputeQueue(device: String)
    /// A device does not open.
    case notOpened(device: String, reason: String)
    /// The user may not use a GPU that the kernel offers.
    case noPermission(node: String)
    /// The kernel offers no GPU.
    case noNode(folder: String)

    /// Whether it is the usual state of a machine: packages bring drivers for GPUs of all kinds.
    public var isUsual: Bool { if case .noDevice = self { true } else { false } }

    public var description: String {
        switch self {
        case .manifest(let path, let reason):
            "\(path): no driver manifest: \(reason); install its package again, or remove the file"
        case .library(let manifest, let library, let reason):
            "\(manifest): its driver \(library) cannot be opened: \(reason); install the library that is missing, or the "
                + "driver's package again"
        case .noEntryPoint(let manifest, let library):
            "\(manifest): \(library) is no Vulkan driver (it has no vk_icdGetInstanceProcAddr)"
        case .refused(let manifest, let result):
            "\(manifest): its driver does not start (\(result)); its kernel module may be missing or of another version"
        case .noDevice(let manifest): "\(manifest): its driver finds no device"
        case .oldVersion(let device, let found, let needed):
            "\(device): it has Vulkan \(found), and \(needed) is needed; a newer driver may have it"
        case .noComputeQueue(let device): "\(device): it has no queue that computes"
        case .notOpened(let device, let reason): "\(device): it cannot be opened: \(reason)"
        case .noPermission(let node):
            "\(node): no permission to use this GPU: sudo usermod -aG render,video $USER, and log in again"
        case .noNode(let folder):
            "\(folder): the kernel offers no GPU: its module is not loaded, or a container was started without the device "
                + "(docker run --device \(folder))"
        }
    }
}

extension PhysicalDevice {
    /// Why the device cannot run kernels, before it is opened; nil: it may. Everything else that a device can lack has a
    /// fallback.
    var obstacle: VulkanObstacle? { facts.obstacle ?? (queueFamily == nil ? .noComputeQueue(device: facts.name) : nil) }
}

extension VulkanDeviceFacts {
    /// Whether its Vulkan is too old.
    var obstacle: VulkanObstacle? {
        apiVersion >= VulkanInstance.apiVersion
            ? nil : .oldVersion(device: name, found: apiVersionText, needed: "1.2")
    }
}
