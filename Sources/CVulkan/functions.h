// Vulkan's types, and its functions as tables of pointers. Nothing links against the loader: it is opened at run time,
// so that a machine without one still runs the other backends.
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

#define QUIRE_GLOBAL_FUNCTIONS(X) \
    X(CreateInstance) X(EnumerateInstanceVersion) X(EnumerateInstanceLayerProperties) \
    X(EnumerateInstanceExtensionProperties)

#define QUIRE_INSTANCE_FUNCTIONS(X) \
    X(DestroyInstance) X(EnumeratePhysicalDevices) X(GetPhysicalDeviceProperties2) X(GetPhysicalDeviceFeatures2) \
    X(GetPhysicalDeviceMemoryProperties2) X(GetPhysicalDeviceQueueFamilyProperties) \
    X(EnumerateDeviceExtensionProperties) X(CreateDevice) X(GetDeviceProcAddr)

#define QUIRE_DEVICE_FUNCTIONS(X) \
    X(DestroyDevice) X(GetDeviceQueue) X(DeviceWaitIdle) X(QueueSubmit) \
    X(AllocateMemory) X(FreeMemory) X(MapMemory) \
    X(CreateBuffer) X(DestroyBuffer) X(GetBufferMemoryRequirements) X(BindBufferMemory) \
    X(CreateShaderModule) X(DestroyShaderModule) \
    X(CreateDescriptorSetLayout) X(DestroyDescriptorSetLayout) X(CreatePipelineLayout) X(DestroyPipelineLayout) \
    X(CreatePipelineCache) X(DestroyPipelineCache) X(GetPipelineCacheData) \
    X(CreateComputePipelines) X(DestroyPipeline) \
    X(CreateDescriptorPool) X(DestroyDescriptorPool) X(AllocateDescriptorSets) X(UpdateDescriptorSets) \
    X(CreateCommandPool) X(DestroyCommandPool) X(AllocateCommandBuffers) X(BeginCommandBuffer) X(EndCommandBuffer) \
    X(CmdBindPipeline) X(CmdBindDescriptorSets) X(CmdPushConstants) X(CmdDispatchBase) X(CmdPipelineBarrier) \
    X(CmdCopyBuffer) X(CmdFillBuffer) X(CmdWriteTimestamp) X(CmdResetQueryPool) \
    X(CreateQueryPool) X(DestroyQueryPool) X(GetQueryPoolResults) \
    X(CreateFence) X(DestroyFence) X(ResetFences) X(WaitForFences) X(GetFenceStatus)

#define QUIRE_MEMBER(name) PFN_vk##name _Nonnull name;

/// Functions that need no instance.
struct quire_global_functions { QUIRE_GLOBAL_FUNCTIONS(QUIRE_MEMBER) };
/// Functions of one instance.
struct quire_instance_functions { QUIRE_INSTANCE_FUNCTIONS(QUIRE_MEMBER) };
/// Functions of one device, without the loader's dispatch.
struct quire_device_functions { QUIRE_DEVICE_FUNCTIONS(QUIRE_MEMBER) };

#define QUIRE_LOAD(name) \
    { PFN_vkVoidFunction found = get(owner, "vk" #name); \
      if (!found) return "vk" #name; \
      functions->name = (PFN_vk##name)found; }

/// Each fills a table; returns the name of the first function that is missing, or null.
static inline const char *_Nullable quire_load_global_functions(
    PFN_vkGetInstanceProcAddr _Nonnull get, struct quire_global_functions *_Nonnull functions) {
    VkInstance owner = VK_NULL_HANDLE;
    QUIRE_GLOBAL_FUNCTIONS(QUIRE_LOAD)
    return 0;
}

static inline const char *_Nullable quire_load_instance_functions(
    PFN_vkGetInstanceProcAddr _Nonnull get, VkInstance _Nonnull owner,
    struct quire_instance_functions *_Nonnull functions) {
    QUIRE_INSTANCE_FUNCTIONS(QUIRE_LOAD)
    return 0;
}

static inline const char *_Nullable quire_load_device_functions(
    PFN_vkGetDeviceProcAddr _Nonnull get, VkDevice _Nonnull owner, struct quire_device_functions *_Nonnull functions) {
    QUIRE_DEVICE_FUNCTIONS(QUIRE_LOAD)
    return 0;
}
