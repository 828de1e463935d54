import Backends
import CVulkan

/// Which of a device's memory types suits which use.
struct MemoryTypes {
    /// Who uses the memory, and so where it should be.
    enum Location {
        /// On the device; where the host can address it as well if the device's memory is the host's.
        case device(isUnified: Bool)
        /// Memory of the host, which the device writes and the host reads, or the other way round.
        case host
        /// Memory that the host writes and the device reads often: the device's own, if the host can address some of it.
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

    /// A memory type, whether the host can address it, and whether the host reads it through its caches.
    struct Choice: Equatable {
        let index: UInt32
        let isMapped: Bool
        let isCached: Bool
    }

    /// The best type among `allowed` (a bit for each type); nil where none fits.
    func type(for location: Location, allowed: UInt32) -> Choice? {
        let local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT.rawValue
        let mapped = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT.rawValue | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT.rawValue
        let cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT.rawValue
        let wishes: [VkMemoryPropertyFlags] =
            switch location {
            case .device(isUnified: true): [local | mapped | cached, local | mapped, mapped, local]
            case .device(isUnified: false): [local, 0]
            case .host: [mapped | cached, mapped]
            case .upload: [local | mapped, mapped]
            }
        for wish in wishes {
            let type = types.first { allowed & (1 << $0.index) != 0 && $0.flags & wish == wish }
            guard let type else { continue }
            let isMapped = if case .device(isUnified: false) = location { false } else { type.flags & mapped == mapped }
            return Choice(index: type.index, isMapped: isMapped, isCached: isMapped && type.flags & cached != 0)
        }
        return nil
    }
}
