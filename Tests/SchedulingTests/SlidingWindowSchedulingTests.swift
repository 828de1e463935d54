import Requests
import Scheduling
import SchedulingConformance
import Testing

@Suite("Scheduler, sliding window")
struct SlidingWindowSchedulingTests {
    @Test("long answers of a model with a window take no more blocks than the window has", arguments: [true, false])
    func bounded(prefixCaching: Bool) {
        var world = SchedulerWorld(
            blockCount: 40, blockSize: 2, prefixCaching: prefixCaching, slidingWindow: 5)
        let ids = (0..<8).map { index in world.add([Int32(index), 1, 2]) { $0.maxTokens = 60 } }
        var most = 0
        while !world.scheduler.isIdle {
            world.step()
            let statistics = world.scheduler.statistics
            most = max(most, statistics.blockCount - statistics.freeBlockCount)
        }
        // Five positions and the next one begin in the middle of a block: four blocks at most for each.
        #expect(most <= 8 * 4 && world.scheduler.statistics.preemptionCount == 0)
        #expect(world.brokenInvariants == [])
        for (index, id) in ids.enumerated() {
            let alone = SchedulerWorld.alone([Int32(index), 1, 2], tokenCount: 60, slidingWindow: 5)
            #expect(world.outputs[id] == alone)
        }
    }
}
