import Backends
import CVulkan

extension VkResult {
    /// The name that the specification gives it.
    var name: String {
        let names: [VkResult: String] = [
            VK_SUCCESS: "VK_SUCCESS", VK_NOT_READY: "VK_NOT_READY", VK_TIMEOUT: "VK_TIMEOUT",
            VK_INCOMPLETE: "VK_INCOMPLETE", VK_ERROR_OUT_OF_HOST_MEMORY: "VK_ERROR_OUT_OF_HOST_MEMORY",
            VK_ERROR_OUT_OF_DEVICE_MEMORY: "VK_ERROR_OUT_OF_DEVICE_MEMORY",
            VK_ERROR_INITIALIZATION_FAILED: "VK_ERROR_INITIALIZATION_FAILED",
            VK_ERROR_DEVICE_LOST: "VK_ERROR_DEVICE_LOST", VK_ERROR_MEMORY_MAP_FAILED: "VK_ERROR_MEMORY_MAP_FAILED",
            VK_ERROR_LAYER_NOT_PRESENT: "VK_ERROR_LAYER_NOT_PRESENT",
            VK_ERROR_EXTENSION_NOT_PRESENT: "VK_ERROR_EXTENSION_NOT_PRESENT",
            VK_ERROR_FEATURE_NOT_PRESENT: "VK_ERROR_FEATURE_NOT_PRESENT",
            VK_ERROR_INCOMPATIBLE_DRIVER: "VK_ERROR_INCOMPATIBLE_DRIVER",
            VK_ERROR_TOO_MANY_OBJECTS: "VK_ERROR_TOO_MANY_OBJECTS",
            VK_ERROR_FRAGMENTED_POOL: "VK_ERROR_FRAGMENTED_POOL", VK_ERROR_UNKNOWN: "VK_ERROR_UNKNOWN",
            VK_ERROR_OUT_OF_POOL_MEMORY: "VK_ERROR_OUT_OF_POOL_MEMORY",
            VK_ERROR_FRAGMENTATION: "VK_ERROR_FRAGMENTATION",
            VK_ERROR_INVALID_SHADER_NV: "VK_ERROR_INVALID_SHADER_NV",
        ]
        return names[self] ?? "VkResult \(rawValue)"
    }

    /// Throws unless it is `VK_SUCCESS`; `call` is the function that returned it.
    func check(_ call: String) throws(BackendError) {
        guard self != VK_SUCCESS else { return }
        throw .driver(call: call, result: name)
    }
}
