import Backends

/// Finds the device that a configuration names.
struct DeviceChoice {
    /// An index, a UUID, a part of a name, or `auto`.
    let text: String

    /// Throws `unavailable` where no device, or more than one, matches the text; the message lists all devices.
    func device(among devices: [VulkanDeviceFacts]) throws(BackendError) -> VulkanDeviceFacts {
        guard !devices.isEmpty else { throw .unavailable(device: text, reason: "no driver offers a Vulkan device") }
        if text == "auto" {
            // A device with an older Vulkan can only be refused.
            let capable = devices.filter { $0.apiVersion >= VulkanInstance.apiVersion }
            let order: [VulkanDeviceFacts.Kind] = [.discrete, .integrated, .virtual, .other, .processor]
            for kind in order {
                // Of several, the one with the most memory; of equals, the first.
                let matching = (capable.isEmpty ? devices : capable).filter { $0.kind == kind }
                if let best = matching.max(by: { ($0.memoryByteCount, -$0.index) < ($1.memoryByteCount, -$1.index) }) {
                    return best
                }
            }
        }
        let list = devices.map { "\($0.index): \($0.name)" }.joined(separator: ", ")
        if let index = Int(text) {
            guard let device = devices.first(where: { $0.index == index }) else {
                throw .unavailable(device: text, reason: "no device has this index; there are \(list)")
            }
            return device
        }
        let requested = text.lowercased()
        if let device = devices.first(where: {
            $0.uuidText == requested || $0.uuidText.filter { $0 != "-" } == requested
        }) {
            return device
        }
        let named = devices.filter { $0.name.lowercased().contains(requested) }
        guard let device = named.first else {
            throw .unavailable(device: text, reason: "no device has this name or UUID; there are \(list)")
        }
        guard named.count == 1 else {
            throw .unavailable(device: text, reason: "\(named.count) devices have this name; there are \(list)")
        }
        return device
    }
}
