import Backends
import BackendReference
import CVulkan
import Lowering
import Tensors
import Testing

@testable import BackendConformance
@testable import BackendVulkan

@Suite(.serialized) struct StepTests {
    @Test(
        "A warm step allocates nothing, compiles nothing, writes no descriptors, and is one submission",
        arguments: TestDevice.all)
    func warmStep(device: TestDevice) throws {
        let model = SmallModel()
        let backend = try device.backend()
        let (prepared, pool) = try model.prepare(on: backend)
        _ = try model.step(prepared, first: 0, count: 20)
        let before = backend.counters
        for step in 0..<5 { _ = try model.step(prepared, first: 20 + step, count: 1) }
        var after = backend.counters
        #expect(after.submissions == before.submissions + 5)
        #expect(after.dispatches > before.dispatches)
        // Fewer barriers than dispatches: the passes over queries, keys and values do not wait for each other.
        #expect(after.barriers - before.barriers < after.dispatches - before.dispatches)
        after.submissions = before.submissions
        after.dispatches = before.dispatches
        after.barriers = before.barriers
        #expect(after == before)
        #expect(pool.allocationsAfterSeal == 0)
        #expect(backend.validationMessages == [])
    }

    @Test("A context that is split over workgroups gives the same bits as one that is not", arguments: TestDevice.all)
    func longContext(device: TestDevice) throws {
        let model = SmallModel()
        let prepared = try model.prepare(on: try device.backend()).plan
        var last: [Float] = []
        for first in stride(from: 0, to: 560, by: 40) { last = try model.step(prepared, first: first, count: 40) }
        // The last position once more, as a row by itself over three partitions.
        #expect(try model.step(prepared, first: 559, count: 1) == last)
    }

    @Test("A matrix larger than a range is split into parts", arguments: TestDevice.all)
    func splitMatrix(device: TestDevice) throws {
        var small = device
        // The table of 97 rows of 256 numbers takes 64 KiB with its padding.
        small.limits.maxRangeByteCount = 40 << 10
        let model = SmallModel(hidden: 256)
        let backend = try small.backend()
        let matrix = try DeviceMatrix(
            [model.plan.matrices[0].weights], maxRangeByteCount: backend.capabilities.maxRangeByteCount,
            pool: MemoryPool(device: backend, budgetByteCount: 1 << 20))
        #expect(matrix.parts.count > 1)
        #expect(matrix.parts.reduce(0) { $0 + $1.rowCount } == 97)
        var sketch = PlanSketch(seed: 1)
        let table = sketch.matrix("table", 97, 256, .bf16)
        let rows = sketch.linear(sketch.gather(sketch.embed(table, 256)), table)
        let trial = ConformanceCase(
            name: "split", tolerance: Tolerance.linear(.bf16),
            plan: sketch.finished(rows),
            sequences: BackendConformance.sequences([5, 3], seed: 1), cacheType: .f32, blockSize: 16)
        let result = try BackendConformance(backend).run(trial)
        #expect(result.hasPassed, "\(result)")
        #expect(backend.validationMessages == [])
    }

    @Test(
        "Matrices whose rows together would exceed a range stay apart, with the same result",
        arguments: TestDevice.quick)
    func rowsThatDoNotFit(device: TestDevice) throws {
        var model = SmallModel()
        let plan = model.plan
        let counts = { (maxWidth: Int) in
            OperationFusion(plan, for: VulkanLowering(maxJoinedWidth: maxWidth)).operations().compactMap { step in
                if case .linear(_, let parts) = step { parts.count } else { nil }
            }
        }
        #expect(counts(192) == [3, 1, 2, 1, 1] && counts(191) == [3, 1, 1, 1, 1, 1])
        #expect(counts(96) == [2, 1, 1, 1, 1, 1, 1] && counts(1) == [1, 1, 1, 1, 1, 1, 1, 1])
        var small = device
        // Rows of 192 numbers for 120 tokens take 90 KiB.
        small.limits.maxRangeByteCount = 82 << 10
        model.limits = BatchLimits(maxTokenCount: 120, maxSequenceCount: 2, maxSampleCount: 8, maxContextLength: 600)
        #expect(try model.logits(on: small.backend()) == model.logits(on: device.backend()))
    }

    @Test("A step of more submissions than may be in flight waits for them and goes on", arguments: TestDevice.quick)
    func manySubmissions(device: TestDevice) throws {
        var careful = device
        careful.limits.submissionWork = 1
        let model = SmallModel(layerCount: 16)
        let backend = try careful.backend()
        let (prepared, _) = try model.prepare(on: backend)
        let before = backend.counters.submissions
        let found = try model.step(prepared, first: 0, count: 20)
        #expect(backend.counters.submissions - before > StepRecorder.maxSubmissionCount)
        let other = try device.backend()
        let whole = try model.prepare(on: other).plan
        #expect(try model.step(whole, first: 0, count: 20) == found)
        // Between workgroups as well.
        #expect(backend.counters.dispatches > other.counters.dispatches)
        // A step that was split is recorded anew.
        for first in [20, 21] {
            #expect(try model.step(prepared, first: first, count: 1) == model.step(whole, first: first, count: 1))
        }
        #expect(backend.validationMessages == [])
    }

    @Test(
        "Where a later submission of a step fails, the next step can use its command buffers",
        arguments: TestDevice.quick)
    func laterSubmissionFails(device: TestDevice) throws {
        var careful = device
        careful.limits.submissionWork = 1
        let faults = FaultInjector()
        let backend = try careful.backend(faults: faults)
        let prepared = try SmallModel().prepare(on: backend).plan
        let expected = try SmallModel().step(prepared, first: 0, count: 20)
        faults.fail(.submit, after: 3, with: VK_ERROR_OUT_OF_HOST_MEMORY)
        #expect(throws: BackendError.driver(call: "vkQueueSubmit", result: "VK_ERROR_OUT_OF_HOST_MEMORY")) {
            try SmallModel().step(prepared, first: 0, count: 20)
        }
        faults.clear()
        #expect(try SmallModel().step(prepared, first: 0, count: 20) == expected)
        #expect(backend.validationMessages == [])
    }

    @Test("A range that the device cannot address is an error that names it")
    func rangeTooLarge() throws {
        for device in TestDevice.all {
            var small = device
            small.limits.maxRangeByteCount = 2 << 10
            #expect {
                try SmallModel().prepare(on: small.backend())
            } throws: { error in
                guard case BackendError.rangeTooLarge = error else { return false }
                return true
            }
        }
    }

    @Test("Barriers stand where memory is used again, and nowhere else")
    func hazards() throws {
        let buffer = try HostBuffer(byteCount: 1024, usage: .scratch)
        func range(_ offset: Int) -> MemoryRange { MemoryRange(buffer: buffer, byteOffset: offset, byteCount: 256) }
        var tracker = HazardTracker()
        let steps: [(reading: [Int], writing: [Int], needsBarrier: Bool)] = [
            ([], [0], false), ([0], [256], true), ([0], [512], false), ([512], [768], true), ([768], [0], true),
            ([256], [512], false), ([], [512], true),
        ]
        for step in steps {
            let found = tracker.needsBarrier(reading: step.reading.map(range), writing: step.writing.map(range))
            #expect(found == step.needsBarrier)
        }
    }

    @Test("Neighbouring operations are fused")
    func fusion() {
        let steps = OperationFusion(SmallModel().plan, for: VulkanLowering()).operations()
        let names = steps.map { step in
            switch step {
            case .embed: "embed"
            case .norm: "norm"
            case .addNorm: "addNorm"
            case .linear(_, let parts): "linear\(parts.count)"
            case .head(let head): head.rotary == nil ? "write" : "rotate"
            case .attention: "attention"
            case .gated: "gated"
            case .reorder: "reorder"
            case .convert: "convert"
            case .add: "add"
            case .gather: "gather"
            default: "another operation"
            }
        }
        #expect(
            names == [
                "embed", "norm", "linear3", "rotate", "rotate", "write", "attention", "linear1", "addNorm", "linear2",
                "gated", "linear1", "add", "gather", "norm", "linear1",
            ])
    }
}
