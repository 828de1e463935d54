import Backends
import CVulkan

/// Which of a device's memory types suits which use.
struct MemoryTypes {
    /// Where bytes should lie.
    enum Place {
        /// On the device; where the host can address it as well if the device's memory is the host's.
        case device(isUnified: Bool)
        /// Where the device writes and the host reads, or either way.
        case host
        /// Where the host writes, and hardly ever reads, and the device reads again and again: its own memory, if the
        /// host can address some of it.
        case upload
    }

    private let types: [(index: UInt32, flags: VkMemoryPropertyFlags)]

    init(_ memory: VkPhysicalDeviceMemoryProperties) {
        types = withUnsafeBytes(of: memory.memoryTypes) { bytes in
            bytes.bindMemory(to: VkMemoryType.self).prefix(Int(memory.memoryTypeCount)).enumerated().map {
                (UInt32($0.offset), $0.element.propertyFlags)
            }
        }
    }

    /// The best type among `allowed` (a bit for each type); nil where none will do.
    func type(for place: Place, allowed: UInt32) -> (index: UInt32, isMapped: Bool)? {
        let local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT.rawValue
        let mapped = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT.rawValue | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT.rawValue
        let cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT.rawValue
        let wishes: [VkMemoryPropertyFlags] =
            switch place {
            case .device(isUnified: true): [local | mapped | cached, local | mapped, mapped, local]
            case .device(isUnified: false): [local, 0]
            case .host: [mapped | cached, mapped]
            case .upload: [local | mapped, mapped]
            }
        for wish in wishes {
            let found = types.first { allowed & (1 << $0.index) != 0 && $0.flags & wish == wish }
            guard let found else { continue }
            if case .device(isUnified: false) = place { return (found.index, false) }
            return (found.index, found.flags & mapped == mapped)
        }
        return nil
    }
}
