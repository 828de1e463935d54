import CLibrary
import CVulkan

/// Finds out why drivers that the loader knows offer no device: starts each one alone, as the loader does
/// (Khronos, LoaderDriverInterface.md, "Driver Vulkan Entry Point Discovery").
public enum DriverCheck {
    /// What keeps drivers and GPUs of this machine from being used. For `quire devices`: it loads every driver.
    ///
    /// - Parameter environment: the values of environment variables, which say where manifests are.
    /// - Parameter deviceFolder: the system's folder of device nodes.
    public static func obstacles(
        environment: (String) -> String?, deviceFolder: String = "/dev"
    ) -> [VulkanObstacle] {
        var obstacles: [VulkanObstacle] = []
        for path in DriverManifest.paths(environment: environment) {
            do throws(VulkanObstacle) { try check(try DriverManifest(path: path)) } catch { obstacles.append(error) }
        }
        return obstacles + nodeObstacles(in: deviceFolder)
    }

    /// Throws why the driver offers no device.
    private static func check(_ manifest: DriverManifest) throws(VulkanObstacle) {
        // Never closed: drivers leave threads and exit handlers behind.
        guard let library = dlopen(manifest.library, RTLD_NOW | RTLD_LOCAL) else {
            let reason = dlerror().map { String(cString: $0) } ?? "unknown"
            throw .library(manifest: manifest.path, library: manifest.library, reason: reason)
        }
        if let symbol = dlsym(library, "vk_icdNegotiateLoaderICDInterfaceVersion") {
            // The newest version of the interface in which a driver may be used without the loader's own structures.
            var version: UInt32 = 5
            let negotiate = unsafeBitCast(symbol, to: (@convention(c) (UnsafeMutablePointer<UInt32>) -> VkResult).self)
            let result = negotiate(&version)
            guard result == VK_SUCCESS else { throw .refused(manifest: manifest.path, result: result.name) }
        }
        guard let symbol = dlsym(library, "vk_icdGetInstanceProcAddr") else {
            throw .noEntryPoint(manifest: manifest.path, library: manifest.library)
        }
        let address = unsafeBitCast(symbol, to: PFN_vkGetInstanceProcAddr.self)
        guard let create = address(nil, "vkCreateInstance") else {
            throw .noEntryPoint(manifest: manifest.path, library: manifest.library)
        }
        var application = VkApplicationInfo()
        application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO
        application.apiVersion = VulkanInstance.apiVersion
        var instance: VkInstance?
        let result = withUnsafePointer(to: &application) { application in
            var info = VkInstanceCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
            info.pApplicationInfo = application
            return unsafeBitCast(create, to: PFN_vkCreateInstance.self)(&info, nil, &instance)
        }
        guard result == VK_SUCCESS, let instance else { throw .refused(manifest: manifest.path, result: result.name) }
        defer {
            if let destroy = address(instance, "vkDestroyInstance") {
                unsafeBitCast(destroy, to: PFN_vkDestroyInstance.self)(instance, nil)
            }
        }
        guard let enumerate = address(instance, "vkEnumeratePhysicalDevices") else {
            throw .noEntryPoint(manifest: manifest.path, library: manifest.library)
        }
        var count: UInt32 = 0
        let listed = unsafeBitCast(enumerate, to: PFN_vkEnumeratePhysicalDevices.self)(instance, &count, nil)
        guard listed == VK_SUCCESS else { throw .refused(manifest: manifest.path, result: listed.name) }
        if count == 0 { throw .noDevice(manifest: manifest.path) }
    }

    /// GPUs that the kernel offers and the user may not open, or that there is none. Linux alone has such nodes.
    private static func nodeObstacles(in folder: String) -> [VulkanObstacle] {
        #if os(Linux)
            let nodes = (128..<192).map { "\(folder)/dri/renderD\($0)" } + ["\(folder)/nvidiactl", "\(folder)/dxg"]
            let found = nodes.filter { access($0, F_OK) == 0 }
            guard !found.isEmpty else { return [.noNode(folder: "\(folder)/dri")] }
            return found.filter { access($0, R_OK | W_OK) != 0 }.map { .noPermission(node: $0) }
        #else
            return []
        #endif
    }
}
