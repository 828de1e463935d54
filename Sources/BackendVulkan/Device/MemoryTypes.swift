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

    /// A type, whether the host can address its memory, and whether it reads there through its caches.
    struct Found: Equatable {
        let index: UInt32
        let isMapped: Bool
        let isCached: Bool
    }

    /// The best type among `allowed` (a bit for each type); nil where none will do.
    func type(for place: Place, allowed: UInt32) -> Found? {
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
            let isMapped = if case .device(isUnified: false) = place { false } else { found.flags & mapped == mapped }
            return Found(index: found.index, isMapped: isMapped, isCached: isMapped && found.flags & cached != 0)
        }
        return nil
    }
}
