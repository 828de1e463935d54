import Backends
import CVulkan

/// The driver's own cache of compiled kernels, kept on disk between starts.
final class PipelineCache: @unchecked Sendable {
    // Sendable: the handle is set once, and Vulkan synchronises a pipeline cache itself.
    /// Nil where the driver makes none, which only costs time.
    let handle: VkPipelineCache?
    private let device: VulkanDevice
    private let directory: CacheDirectory?
    private let file: String

    init(_ device: VulkanDevice, directory: CacheDirectory?) {
        self.device = device
        self.directory = directory
        var hash = ContentHash()
        hash.combine(device.physical.facts.uuidText)
        hash.combine(device.physical.facts.name)
        hash.combine(device.physical.facts.driver)
        file = "pipelines-\(hash.text).bin"
        let content = directory?.read(file) ?? []
        var created = Self.create(content, device)
        if created == nil, !content.isEmpty {
            directory?.onFailure("the driver refuses \(file), which will be made again")
            created = Self.create([], device)
        }
        handle = created
    }

    deinit {
        if let handle { device.functions.DestroyPipelineCache(device.handle, handle, nil) }
    }

    private static func create(_ content: [UInt8], _ device: VulkanDevice) -> VkPipelineCache? {
        var cache: VkPipelineCache?
        let result = content.withUnsafeBytes { bytes in
            var info = VkPipelineCacheCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO
            info.initialDataSize = bytes.count
            info.pInitialData = bytes.baseAddress
            return device.functions.CreatePipelineCache(device.handle, &info, nil, &cache)
        }
        return result == VK_SUCCESS ? cache : nil
    }

    /// Writes what the driver knows by now to the disk.
    func save() {
        guard let handle, let directory else { return }
        var byteCount = 0
        guard device.functions.GetPipelineCacheData(device.handle, handle, &byteCount, nil) == VK_SUCCESS else {
            return
        }
        var bytes = [UInt8](repeating: 0, count: byteCount)
        guard device.functions.GetPipelineCacheData(device.handle, handle, &byteCount, &bytes) == VK_SUCCESS else {
            return
        }
        directory.write(Array(bytes[..<byteCount]), to: file)
    }
}
