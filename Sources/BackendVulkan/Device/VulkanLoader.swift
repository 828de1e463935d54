import Backends
import CLibrary
import CVulkan

/// The machine's Vulkan loader, opened at run time.
final class VulkanLoader {
    let functions: quire_global_functions
    let instanceAddress: PFN_vkGetInstanceProcAddr

    /// File names of loaders, the most specific first.
    static let libraryNames = ["libvulkan.so.1", "libvulkan.so", "libvulkan.1.dylib", "libMoltenVK.dylib"]

    /// Opens the first library of `names` that there is. Throws `unavailable` where there is none.
    init(libraryNames names: [String] = VulkanLoader.libraryNames) throws(BackendError) {
        var library: UnsafeMutableRawPointer?
        for name in names where library == nil { library = dlopen(name, RTLD_NOW | RTLD_LOCAL) }
        guard let library, let symbol = dlsym(library, "vkGetInstanceProcAddr") else {
            throw .unavailable(
                device: "vulkan",
                reason:
                    "no Vulkan loader (\(names.joined(separator: ", "))); on Debian and Ubuntu: apt install libvulkan1")
        }
        // Never closed: drivers leave threads and exit handlers behind, whose code must stay mapped.
        let address = unsafeBitCast(symbol, to: PFN_vkGetInstanceProcAddr.self)
        let table = UnsafeMutablePointer<quire_global_functions>.allocate(capacity: 1)
        defer { table.deallocate() }
        if let missing = quire_load_global_functions(address, table) {
            throw .unavailable(device: "vulkan", reason: "the loader has no \(String(cString: missing))")
        }
        functions = table.move()
        instanceAddress = address
    }
}
