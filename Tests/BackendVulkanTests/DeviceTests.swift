import Backends
import CVulkan
import Testing

@testable import BackendVulkan

@Suite struct DeviceTests {
    @Test("This machine has a Vulkan device; without one, these tests test nothing")
    func someDevice() throws {
        #expect(try !VulkanBackend.devices().isEmpty)
    }

    private static func facts(_ index: Int, _ name: String, _ kind: VulkanDeviceFacts.Kind, gibibytes: Int = 8)
        -> VulkanDeviceFacts
    {
        VulkanDeviceFacts(
            index: index, name: name, kind: kind, uuid: [UInt8](repeating: UInt8(index) + 0xA0, count: 16),
            driver: "driver", apiVersion: VulkanInstance.apiVersion, memoryByteCount: gibibytes << 30)
    }

    private static let machine = [
        facts(0, "llvmpipe", .processor), facts(1, "Radeon 780M", .integrated), facts(2, "Radeon RX 7900", .discrete),
        facts(3, "Arc A770", .discrete, gibibytes: 16), facts(4, "Virtio", .virtual),
    ]

    @Test(
        "A device is chosen by kind, index, part of a name or UUID",
        arguments: [
            ("auto", 3), ("0", 0), ("4", 4), ("a770", 3), ("780m", 1), ("LLVM", 0),
            ("a2a2a2a2-a2a2-a2a2-a2a2-a2a2a2a2a2a2", 2), ("A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1", 1),
        ])
    func choice(text: String, index: Int) throws {
        #expect(try DeviceChoice(text: text).device(among: Self.machine).index == index)
    }

    @Test("auto prefers discrete, integrated, virtual, CPU")
    func order() throws {
        var devices = Self.machine
        var kinds: [VulkanDeviceFacts.Kind] = []
        while !devices.isEmpty {
            let chosen = try DeviceChoice(text: "auto").device(among: devices)
            kinds.append(chosen.kind)
            devices.removeAll { $0.index == chosen.index }
        }
        #expect(kinds == [.discrete, .discrete, .integrated, .virtual, .processor])
    }

    @Test("auto takes no device that is too old while there is another")
    func oldDevices() throws {
        var devices = Self.machine
        for index in devices.indices where devices[index].kind == .discrete {
            devices[index] = VulkanDeviceFacts(
                index: devices[index].index, name: devices[index].name, kind: .discrete, uuid: devices[index].uuid,
                driver: devices[index].driver, apiVersion: VulkanInstance.apiVersion - 1,
                memoryByteCount: devices[index].memoryByteCount)
        }
        #expect(try DeviceChoice(text: "auto").device(among: devices).kind == .integrated)
        devices.removeAll { $0.kind != .discrete }
        #expect(try DeviceChoice(text: "auto").device(among: devices).kind == .discrete)
    }

    @Test(
        "A device that does not exist, or is not unique, is an error that lists the devices",
        arguments: ["5", "-1", "radeon", "GeForce", ""])
    func noSuchDevice(text: String) {
        #expect {
            try DeviceChoice(text: text).device(among: Self.machine)
        } throws: { error in
            "\(error)".contains("Radeon RX 7900")
        }
    }

    @Test("Memory is the device's or the host's by use, and cached where the host reads it")
    func memoryTypes() throws {
        let local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT.rawValue
        let mapped = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT.rawValue | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT.rawValue
        let cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT.rawValue
        func types(_ flags: [VkMemoryPropertyFlags]) -> MemoryTypes {
            var memory = VkPhysicalDeviceMemoryProperties()
            memory.memoryTypeCount = UInt32(flags.count)
            withUnsafeMutableBytes(of: &memory.memoryTypes) { bytes in
                let types = bytes.bindMemory(to: VkMemoryType.self)
                for (index, flags) in flags.enumerated() { types[index].propertyFlags = flags }
            }
            return MemoryTypes(memory)
        }
        // As Mesa lists those of an integrated Radeon: none of its own is cached.
        let radeon = types([local, mapped, local | mapped, mapped | cached])
        #expect(
            radeon.type(for: .device(isUnified: true), allowed: 15) == .init(index: 2, isMapped: true, isCached: false))
        #expect(radeon.type(for: .host, allowed: 15) == .init(index: 3, isMapped: true, isCached: true))
        #expect(radeon.type(for: .host, allowed: 7) == .init(index: 1, isMapped: true, isCached: false))
        #expect(
            radeon.type(for: .device(isUnified: false), allowed: 15)
                == .init(index: 0, isMapped: false, isCached: false))
        let processor = types([local | mapped | cached])
        #expect(
            processor.type(for: .device(isUnified: true), allowed: 1)
                == .init(index: 0, isMapped: true, isCached: true))
        #expect(processor.type(for: .host, allowed: 2) == nil)
    }

    @Test("No device is an error")
    func noDevice() {
        #expect(throws: BackendError.unavailable(device: "auto", reason: "no driver offers a Vulkan device")) {
            try DeviceChoice(text: "auto").device(among: [])
        }
    }

    @Test("No loader is an error")
    func noLoader() {
        #expect {
            try VulkanLoader(libraryNames: ["libvulkan-that-does-not-exist.so"])
        } throws: { error in
            guard case BackendError.unavailable = error else { return false }
            return "\(error)".contains("libvulkan-that-does-not-exist.so")
        }
    }

    @Test("An index that does not exist is an error of the backend")
    func noSuchIndex() {
        var options = VulkanOptions()
        options.device = "4711"
        #expect {
            try VulkanBackend(options)
        } throws: { error in
            guard case BackendError.unavailable(device: "4711", _) = error else { return false }
            return true
        }
    }

    @Test("Limits only remove capabilities")
    func limits() {
        let rich = DeviceCapabilities(
            maxRangeByteCount: 1 << 30, maxAllocationByteCount: 1 << 31, sharedMemoryByteCount: 32 << 10,
            maxInvocationCount: 1024, maxGroupCount: 65_535, subgroupSize: 32, hasSubgroupArithmetic: true,
            hasSubgroupBroadcast: true,
            hasFloat16: true, hasCooperativeMatrices: false,
            hasIntegerProducts: true, isUnifiedMemory: true, isProcessor: true)
        var limits = CapabilityLimits()
        #expect(limits.applied(to: rich) == rich)
        limits.without = Set(CapabilityLimits.Feature.allCases)
        limits.maxRangeByteCount = 64 << 20
        limits.sharedMemoryByteCount = 1 << 20
        let poor = limits.applied(to: rich)
        #expect(poor.features.allSatisfy { !$0.isPresent } && !poor.isProcessor)
        #expect(poor.maxRangeByteCount == 64 << 20)
        #expect(poor.sharedMemoryByteCount == 32 << 10)
    }
}
