import CVulkan
import Synchronization

/// What the validation layer had to say, where it is present and asked for.
final class ValidationLog: Sendable {
    private let state = Mutex<[String]>([])

    /// Every warning and error so far.
    var messages: [String] { state.withLock { $0 } }

    fileprivate func append(_ message: String) {
        state.withLock { $0.append(message) }
    }

    /// The messenger of this log, which must outlive the instance that gets it.
    func messenger() -> VkDebugUtilsMessengerCreateInfoEXT {
        var info = VkDebugUtilsMessengerCreateInfoEXT()
        info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT
        info.messageSeverity =
            VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT.rawValue
            | VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT.rawValue
        // The loader reports broken drivers of other devices under "general": not ours to answer for.
        info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT.rawValue
        info.pUserData = Unmanaged.passUnretained(self).toOpaque()
        info.pfnUserCallback = { _, _, data, user in
            guard let user, let text = data?.pointee.pMessage else { return VkBool32(VK_FALSE) }
            Unmanaged<ValidationLog>.fromOpaque(user).takeUnretainedValue().append(String(cString: text))
            return VkBool32(VK_FALSE)
        }
        return info
    }
}
