import Backends
import CVulkan

/// A Vulkan instance, with the validation layer where it is asked for and present.
final class VulkanInstance: @unchecked Sendable {
    // Sendable: everything is set once; the functions used through it need no external synchronisation.
    let handle: VkInstance
    let functions: quire_instance_functions
    /// Messages of the validation layer; nil where it is not enabled.
    let validation: ValidationLog?
    private let loader: VulkanLoader

    /// The version that everything here is written for.
    static let apiVersion: UInt32 = (1 << 22) | (2 << 12)
    private static let validationLayer = "VK_LAYER_KHRONOS_validation"

    /// Throws `unavailable` where the loader or its drivers are older than Vulkan 1.2 or refuse.
    init(_ loader: VulkanLoader, isValidating: Bool) throws(BackendError) {
        self.loader = loader
        var version: UInt32 = 0
        guard loader.functions.EnumerateInstanceVersion(&version) == VK_SUCCESS, version >= Self.apiVersion else {
            throw .unavailable(device: "vulkan", reason: "the loader knows no Vulkan 1.2")
        }
        let hasLayer = isValidating && Self.hasValidationLayer(loader)
        let log = hasLayer ? ValidationLog() : nil
        validation = log
        var extensions: [String] = []
        let known = Self.extensions(loader)
        let portability = "VK_KHR_portability_enumeration"
        if known.contains(portability) { extensions.append(portability) }
        if hasLayer { extensions.append("VK_EXT_debug_utils") }

        var created: VkInstance?
        var application = VkApplicationInfo()
        application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO
        application.apiVersion = Self.apiVersion
        var messenger = log?.messenger() ?? VkDebugUtilsMessengerCreateInfoEXT()
        let result = withUnsafePointer(to: &application) { application in
            withUnsafePointer(to: &messenger) { messenger in
                CStrings.with(hasLayer ? [Self.validationLayer] : []) { layers in
                    CStrings.with(extensions) { names in
                        var info = VkInstanceCreateInfo()
                        info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
                        info.pNext = hasLayer ? UnsafeRawPointer(messenger) : nil
                        info.flags =
                            known.contains(portability)
                            ? VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR.rawValue : 0
                        info.pApplicationInfo = application
                        info.enabledLayerCount = UInt32(layers.count)
                        info.ppEnabledLayerNames = layers.baseAddress
                        info.enabledExtensionCount = UInt32(names.count)
                        info.ppEnabledExtensionNames = names.baseAddress
                        return loader.functions.CreateInstance(&info, nil, &created)
                    }
                }
            }
        }
        guard result == VK_SUCCESS, let created else {
            throw .unavailable(device: "vulkan", reason: "no instance: \(result.name)")
        }
        handle = created
        let table = UnsafeMutablePointer<quire_instance_functions>.allocate(capacity: 1)
        defer { table.deallocate() }
        if let missing = quire_load_instance_functions(loader.instanceAddress, created, table) {
            throw .unavailable(device: "vulkan", reason: "the loader has no \(String(cString: missing))")
        }
        functions = table.move()
        try registerMessenger(log)
    }

    deinit { functions.DestroyInstance(handle, nil) }

    /// Messages while the instance lives; the messenger given at its creation gets only those of that call.
    private func registerMessenger(_ log: ValidationLog?) throws(BackendError) {
        guard let log, let symbol = loader.instanceAddress(handle, "vkCreateDebugUtilsMessengerEXT") else { return }
        let create = unsafeBitCast(symbol, to: PFN_vkCreateDebugUtilsMessengerEXT.self)
        var info = log.messenger()
        var messenger: VkDebugUtilsMessengerEXT?
        try create(handle, &info, nil, &messenger).check("vkCreateDebugUtilsMessengerEXT")
    }

    /// Every device that a driver offers, in the order in which the loader lists them.
    func devices() throws(BackendError) -> [PhysicalDevice] {
        var count: UInt32 = 0
        try functions.EnumeratePhysicalDevices(handle, &count, nil).check("vkEnumeratePhysicalDevices")
        var handles = [VkPhysicalDevice?](repeating: nil, count: Int(count))
        try functions.EnumeratePhysicalDevices(handle, &count, &handles).check("vkEnumeratePhysicalDevices")
        return handles.compactMap { $0 }.enumerated().map {
            PhysicalDevice($1, index: $0, functions: functions)
        }
    }

    private static func hasValidationLayer(_ loader: VulkanLoader) -> Bool {
        var count: UInt32 = 0
        guard loader.functions.EnumerateInstanceLayerProperties(&count, nil) == VK_SUCCESS else { return false }
        var layers = [VkLayerProperties](repeating: VkLayerProperties(), count: Int(count))
        guard loader.functions.EnumerateInstanceLayerProperties(&count, &layers) == VK_SUCCESS else { return false }
        return layers.contains { CStrings.text(of: $0.layerName) == validationLayer }
    }

    private static func extensions(_ loader: VulkanLoader) -> Set<String> {
        var count: UInt32 = 0
        guard loader.functions.EnumerateInstanceExtensionProperties(nil, &count, nil) == VK_SUCCESS else { return [] }
        var found = [VkExtensionProperties](repeating: VkExtensionProperties(), count: Int(count))
        guard loader.functions.EnumerateInstanceExtensionProperties(nil, &count, &found) == VK_SUCCESS else {
            return []
        }
        return Set(found.map { CStrings.text(of: $0.extensionName) })
    }
}
