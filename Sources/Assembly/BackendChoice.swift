import BackendVulkan
import EngineConfig

/// What `backend.name: auto` becomes on a machine, and why: a discrete Vulkan GPU, else an integrated or virtual one, else
/// the CPU. Software drivers such as lavapipe compute on the CPU too, only slower than the CPU backend: never chosen.
struct BackendChoice: Equatable {
    /// The name of a backend in the registry.
    let name: String
    /// The index of the Vulkan device; nil where `backend.device` decides, or the CPU computes.
    let deviceIndex: Int?
    /// One sentence for the log.
    let explanation: String

    /// - Parameter device: the value of `backend.device`.
    /// - Parameter devices: the machine's Vulkan devices; nil where it has no Vulkan loader.
    init(device: String, among devices: [VulkanDeviceFacts]?) {
        guard device == "auto" else {
            self.init("vulkan", nil, "backend: vulkan, because backend.device names a device: \(device)")
            return
        }
        guard let devices else {
            self.init("cpu", nil, "backend: cpu, because no Vulkan loader (libvulkan) is installed")
            return
        }
        let gpus = devices.filter { Self.obstacle($0) == nil }
        for kind in Self.preference {
            let same = gpus.filter { $0.kind == kind }
            // The most memory; of equals the first in the loader's list.
            guard let best = same.max(by: { ($0.memoryByteCount, -$0.index) < ($1.memoryByteCount, -$1.index) }) else {
                continue
            }
            let reason =
                if same.count > 1 { "the \(kind.rawValue) GPU with the most memory" } else if gpus.count > 1 {
                    "the only \(kind.rawValue) GPU"
                } else { "the only GPU" }
            self.init(
                "vulkan", best.index,
                "backend: vulkan on device \(best.index), \(best.name), because it is \(reason); backend.name and "
                    + "backend.device change that")
            return
        }
        let obstacles = devices.compactMap(Self.obstacle).joined(separator: ", ")
        self.init(
            "cpu", nil,
            "backend: cpu, because "
                + (devices.isEmpty
                    ? "no driver offers a Vulkan device" : "no Vulkan device is a usable GPU: \(obstacles)")
        )
    }

    private init(_ name: String, _ deviceIndex: Int?, _ explanation: String) {
        self.name = name
        self.deviceIndex = deviceIndex
        self.explanation = explanation
    }

    private static let preference: [VulkanDeviceFacts.Kind] = [.discrete, .integrated, .virtual]
    /// Vulkan 1.2, as `VK_MAKE_API_VERSION` packs it.
    private static let minimumVersion: UInt32 = 1 << 22 | 2 << 12

    /// Why `auto` does not choose a device; nil where it may.
    private static func obstacle(_ device: VulkanDeviceFacts) -> String? {
        switch device.kind {
        case .processor: "\(device.name) is a software driver"
        case .other: "\(device.name) is of an unknown kind"
        case .discrete, .integrated, .virtual:
            device.apiVersion >= minimumVersion
                ? nil : "\(device.name) has Vulkan \(device.apiVersionText) and 1.2 is needed"
        }
    }
}

extension PluginCatalog {
    /// The section with the backend and the device that `auto` stands for on this machine; `onChoice` is called with the
    /// sentence that explains it. A section that names its backend stays what it is.
    func choosingBackend(_ section: BackendSection, onChoice: (String) -> Void) -> BackendSection {
        guard section.name == "auto" else { return section }
        let isNeeded = section.device == "auto"
        let devices = isNeeded ? try? VulkanBackend.devices().map(\.facts) : nil
        let choice = BackendChoice(device: section.device, among: devices)
        onChoice(choice.explanation)
        var chosen = section
        chosen.name = choice.name
        if let index = choice.deviceIndex { chosen.device = "\(index)" }
        return chosen
    }
}
