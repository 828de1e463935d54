import Backends
import CVulkan

/// Timestamps of the device around dispatches.
final class DispatchTimer {
    private let device: VulkanDevice
    private let pool: VkQueryPool
    private let capacity: Int
    private var markCount = 0

    /// Room for `dispatchCount` dispatches. Throws `unsupported` where the device has no clock.
    init(_ device: VulkanDevice, dispatchCount: Int) throws(BackendError) {
        guard device.physical.clock.bitCount > 0, device.physical.clock.nanosecondsPerTick > 0 else {
            throw .unsupported(operation: "timing", reason: "\(device.physical.facts.name) has no clock for kernels")
        }
        self.device = device
        capacity = 2 * max(1, dispatchCount)
        var info = VkQueryPoolCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO
        info.queryType = VK_QUERY_TYPE_TIMESTAMP
        info.queryCount = UInt32(capacity)
        var pool: VkQueryPool?
        try device.check(device.functions.CreateQueryPool(device.handle, &info, nil, &pool), "vkCreateQueryPool")
        guard let pool else { throw .driver(call: "vkCreateQueryPool", result: "no pool") }
        self.pool = pool
    }

    deinit { device.functions.DestroyQueryPool(device.handle, pool, nil) }

    /// Records that all timestamps are reset; before the first `mark`.
    func start(_ buffer: VkCommandBuffer) {
        markCount = 0
        device.functions.CmdResetQueryPool(buffer, pool, 0, UInt32(capacity))
    }

    /// Records a timestamp behind all earlier work. Two make a time.
    func mark(_ buffer: VkCommandBuffer) {
        precondition(markCount < capacity, "more dispatches than there is room for")
        device.functions.CmdWriteTimestamp(buffer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, UInt32(markCount))
        markCount += 1
    }

    /// Seconds between the timestamps of each pair, once the work is done.
    func seconds() throws(BackendError) -> [Double] {
        guard markCount > 0 else { return [] }
        var ticks = [UInt64](repeating: 0, count: markCount)
        let flags = VK_QUERY_RESULT_64_BIT.rawValue | VK_QUERY_RESULT_WAIT_BIT.rawValue
        let result = device.functions.GetQueryPoolResults(
            device.handle, pool, 0, UInt32(markCount), markCount * 8, &ticks, 8, flags)
        try device.check(result, "vkGetQueryPoolResults")
        let clock = device.physical.clock
        let mask = clock.bitCount >= 64 ? UInt64.max : (1 << UInt64(clock.bitCount)) - 1
        return stride(from: 0, to: markCount, by: 2).map { index in
            // The clock may have wrapped around.
            Double((ticks[index + 1] &- ticks[index]) & mask) * clock.nanosecondsPerTick * 1e-9
        }
    }
}
