import BackendCPU
import Backends
import Execution
import KVCaching
import Requests
import Scheduling
import SharedValues
import Synchronization
import Tensors
import Testing

/// A lost device fails the requests of its step, and no others.
@Suite struct DeviceLossTests {
    /// A plan that is lost while it computes its `lossAt`th batch, and in every one after it.
    private final class FragilePlan: PreparedPlan {
        private let inner: any PreparedPlan
        private let lossAt: Int
        private let runCount = Mutex(0)

        init(_ inner: any PreparedPlan, lossAt: Int) {
            self.inner = inner
            self.lossAt = lossAt
        }

        func attach(_ cache: KVCacheMemory) throws(BackendError) { try inner.attach(cache) }

        func setAdapter(_ matrices: [MatrixSetID: HostTensor], slot: Int) throws(BackendError) {
            try inner.setAdapter(matrices, slot: slot)
        }

        func copyBlocks(_ copies: [BlockMove]) throws(BackendError) { try inner.copyBlocks(copies) }

        func submit(_ batch: borrowing ForwardBatch) throws(BackendError) { try inner.submit(batch) }

        func wait() throws(BackendError) -> SampledRows {
            let count = runCount.withLock {
                $0 += 1
                return $0
            }
            guard count < lossAt else { throw .deviceLost(device: "fragile", reason: "it was told to") }
            return try inner.wait()
        }
    }

    private static func greedy(_ count: Int) -> SamplingParameters {
        var sampling = SamplingParameters()
        sampling.temperature = 0
        sampling.maxTokens = count
        return sampling
    }

    private static let path = Golden.path("llama-gqa-untied")
    private static let prompts: [[Int32]] = [[5, 6, 7], [8, 9, 10, 11], [12], [13, 14]]

    private static func alone() throws -> [[Int32]] {
        let machine = try Machine(path: path, on: .cpu(.best, threads: 1), maxTokenCount: 64, maxSequenceCount: 4)
        return try prompts.map { try machine.greedy([$0], count: 12)[0] }
    }

    @Test("requests of other steps go on where they were", arguments: 1...6)
    func survivors(lossAt: Int) throws {
        let machine = try Machine(path: Self.path, on: .cpu(.best, threads: 1), maxTokenCount: 64, maxSequenceCount: 4)
        let layout = machine.layout(blockSize: 16)
        let reopened = Mutex(0)
        let runner = ModelRunner(
            plan: FragilePlan(try machine.preparedPlan(layout, blockCount: 16), lossAt: lossAt), groups: layout.groups
        ) {
            reopened.withLock { $0 += 1 }
            return try Machine(path: Self.path, on: .cpu(.best, threads: 1), maxTokenCount: 64, maxSequenceCount: 4)
                .preparedPlan(layout, blockCount: 16)
        }
        // Two at a time, and two wait; the later two are started before the loss where it comes late.
        var world = EngineWorld(
            runner: runner, blockCount: 16, groups: layout.groups,
            limits: SchedulerLimits(maxBatchedTokenCount: 8, maxSequenceCount: 2, maxModelLength: 64))
        let ids = Self.prompts.map { world.add($0, Self.greedy(12)) }
        while !world.isIdle { try world.stepThroughFailures() }
        let expected = try Self.alone()
        #expect(reopened.withLock { $0 } == 1)
        #expect(world.failures.count == 1)
        #expect(world.failedIDs == Set(ids.prefix(2)))
        for (index, id) in ids.enumerated() {
            let tokens = world.tokens[id] ?? []
            #expect(tokens == Array(expected[index].prefix(world.failedIDs.contains(id) ? lossAt - 1 : 12)))
        }
    }

    @Test("a device that does not open again fails each step with the reason")
    func lostForGood() throws {
        let machine = try Machine(path: Self.path, on: .cpu(.best, threads: 1), maxTokenCount: 64, maxSequenceCount: 4)
        let layout = machine.layout(blockSize: 16)
        let runner = ModelRunner(
            plan: FragilePlan(try machine.preparedPlan(layout, blockCount: 16), lossAt: 1), groups: layout.groups
        ) { throw BackendError.unavailable(device: "fragile", reason: "unplugged") }
        var world = EngineWorld(
            runner: runner, blockCount: 16, groups: layout.groups,
            limits: SchedulerLimits(maxBatchedTokenCount: 8, maxSequenceCount: 1, maxModelLength: 64))
        let ids = Self.prompts.map { world.add($0, Self.greedy(12)) }
        while !world.isIdle { try world.stepThroughFailures() }
        #expect(world.failedIDs == Set(ids))
        #expect(world.failures.first?.contains("was lost") == true)
        #expect(world.failures.dropFirst().allSatisfy { $0.contains("unplugged") } && world.failures.count == 4)
    }
}
