import Backends
import CVulkan
import Synchronization
import Tensors
import Testing

@testable import BackendVulkan

@Suite(.serialized) struct FaultTests {
    private let model = SmallModel()

    @Test("A lost device is an error of the step, stays lost, and another backend works", arguments: TestDevice.all)
    func deviceLost(device: TestDevice) throws {
        let faults = FaultInjector()
        let backend = try device.backend(faults: faults)
        let prepared = try model.prepare(on: backend).plan
        _ = try model.step(prepared, first: 0, count: 20)
        faults.fail(.submit, with: VK_ERROR_DEVICE_LOST)
        for _ in 0..<2 {
            #expect {
                try model.step(prepared, first: 20, count: 1)
            } throws: { error in
                guard case BackendError.deviceLost(_, let reason) = error else { return false }
                return reason.contains("VK_ERROR_DEVICE_LOST")
            }
        }
        #expect(try model.agrees(on: device.backend()))
    }

    @Test("Where weights do not fit, the error names them", arguments: TestDevice.all)
    func outOfMemoryAtLoad(device: TestDevice) throws {
        let faults = FaultInjector()
        let backend = try device.backend(faults: faults)
        faults.fail(.allocate, with: VK_ERROR_OUT_OF_DEVICE_MEMORY)
        let pool = MemoryPool(device: backend, budgetByteCount: 64 << 20)
        #expect {
            try backend.prepare(model.plan, limits: model.limits, pool: pool)
        } throws: { error in
            guard case BackendError.outOfMemory(use: "weights", _, _) = error else { return false }
            return true
        }
    }

    @Test("Where the cache does not fit, the error names it", arguments: TestDevice.all)
    func outOfMemoryAtSizing(device: TestDevice) throws {
        let faults = FaultInjector()
        let backend = try device.backend(faults: faults)
        let pool = MemoryPool(device: backend, budgetByteCount: 64 << 20, chunkByteCount: 1 << 20)
        _ = try backend.prepare(model.plan, limits: model.limits, pool: pool)
        faults.fail(.allocate, with: VK_ERROR_OUT_OF_DEVICE_MEMORY)
        #expect {
            try KVCacheMemory(
                layers: model.plan.cacheLayers, blockCount: 4096, blockSize: 16, type: .f16, pool: pool)
        } throws: { error in
            guard case BackendError.outOfMemory(use: "cache", _, _) = error else { return false }
            return true
        }
    }

    @Test("Running out of memory in a step is an error of that step, and the next one works", arguments: TestDevice.all)
    func outOfMemoryMidRun(device: TestDevice) throws {
        let faults = FaultInjector()
        let backend = try device.backend(faults: faults)
        let prepared = try model.prepare(on: backend).plan
        let expected = try model.step(prepared, first: 0, count: 20)
        faults.fail(.submit, with: VK_ERROR_OUT_OF_HOST_MEMORY)
        #expect(throws: BackendError.driver(call: "vkQueueSubmit", result: "VK_ERROR_OUT_OF_HOST_MEMORY")) {
            try model.step(prepared, first: 0, count: 20)
        }
        faults.clear()
        #expect(try model.step(prepared, first: 0, count: 20) == expected)
    }

    @Test("A kernel that does not compile, or fails its self-test, is replaced by the next and reported")
    func fallback() throws {
        for device in TestDevice.all {
            for site in [FaultInjector.Site.compile("norm_subgroup"), .selfTest("attention_subgroup")] {
                let faults = FaultInjector()
                let reports = Mutex<[String]>([])
                faults.fail(site)
                let backend = try device.backend(faults: faults) { options in
                    options.onFallback = { report in reports.withLock { $0.append(report) } }
                }
                #expect(try model.agrees(on: backend))
                #expect(reports.withLock { $0 }.count == 1)
                let rejected = backend.kernelSelections.flatMap(\.rejections).filter {
                    $0.variant.hasSuffix("_subgroup")
                }
                #expect(rejected.count == 1)
            }
        }
    }

    @Test("Without any variant left, the operation is named", arguments: TestDevice.all)
    func noVariant(device: TestDevice) throws {
        let faults = FaultInjector()
        faults.fail(.compile("attention_shared"))
        let backend = try device.backend(faults: faults) { $0.disabledKernels = ["attention_subgroup"] }
        #expect {
            try model.prepare(on: backend)
        } throws: { error in
            guard case BackendError.kernel(name: "attention", let reason) = error else { return false }
            return reason.contains("switched off") && reason.contains("attention_shared")
        }
    }

    @Test(
        "A former kernel name switches the kernel off, with a warning",
        arguments: ["packed_broadcast", "norm_shared"])
    func formerName(name: String) throws {
        let device = try #require(TestDevice.all.first)
        let reports = Mutex<[String]>([])
        let backend = try device.backend { options in
            options.disabledKernels = [name]
            options.onFallback = { report in reports.withLock { $0.append(report) } }
        }
        let isFormer = name == "packed_broadcast"
        let current = isFormer ? "gemv_quantized_broadcast" : name
        #expect(reports.withLock { $0.count } == (isFormer ? 1 : 0))
        #expect(reports.withLock { $0.allSatisfy { $0.contains("gemv_quantized_broadcast") } })
        #expect(backend.kernelSelections.allSatisfy { $0.variant != current })
    }

    @Test("A kernel that does not exist cannot be switched off")
    func unknownKernel() throws {
        let device = try #require(TestDevice.all.first)
        #expect(throws: BackendError.kernel(name: "norms", reason: "there is none of this name to switch off")) {
            try device.backend { $0.disabledKernels = ["norms", "norm_shared"] }
        }
    }
}
