import CVulkan

/// A device's identity and memory.
public struct VulkanDeviceFacts: Sendable, Hashable {
    /// What kind of hardware it is.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case discrete, integrated, virtual
        case processor = "CPU"
        case other
    }

    /// Its index in the loader's list.
    public let index: Int
    /// The driver's name for it.
    public let name: String
    /// What kind of hardware it is.
    public let kind: Kind
    /// Sixteen bytes that stay the same between starts.
    public let uuid: [UInt8]
    /// The driver's name and version.
    public let driver: String
    /// The Vulkan version, as the specification packs it.
    public let apiVersion: UInt32
    /// Bytes of its own memory, used or not.
    public let memoryByteCount: Int

    /// The UUID in hexadecimal, `8-4-4-4-12`.
    public var uuidText: String {
        var text = ""
        for (index, byte) in uuid.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += byte < 16 ? "0" : ""
            text += String(byte, radix: 16)
        }
        return text
    }

    /// The Vulkan version for people.
    public var apiVersionText: String { "\(apiVersion >> 22 & 0x7F).\(apiVersion >> 12 & 0x3FF).\(apiVersion & 0xFFF)" }
}

extension VulkanDeviceFacts.Kind {
    init(_ type: VkPhysicalDeviceType) {
        switch type {
        case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: self = .discrete
        case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: self = .integrated
        case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: self = .virtual
        case VK_PHYSICAL_DEVICE_TYPE_CPU: self = .processor
        default: self = .other
        }
    }
}
