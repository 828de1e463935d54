import Requests
import Scheduling
import SchedulingConformance
import Testing

@Suite("Scheduler, small worlds")
struct SmallWorldTests {
    /// Every pair of requests with prompts of 1 to 4 tokens and 1 to 3 to produce, on every pool of 2 to 5 blocks of
    /// one or two tokens, under every budget of 1 to 3 tokens, the second arriving after 0 to 2 steps, aborted after
    /// 1 to 3 more or never. Each is checked after every step.
    @Test("every world of two requests finishes with the right tokens", arguments: 2...5, [1, 2])
    func pairs(blockCount: Int, blockSize: Int) {
        var worlds = 0
        for budget in 1...3 {
            for shape in Shape.all {
                for arrival in 0...2 {
                    for abort in [1, 2, 3, nil] {
                        check(shape, arrival: arrival, abort: abort, budget: budget, blockCount, blockSize)
                        worlds += 1
                    }
                }
            }
        }
        #expect(worlds > 1000)
    }

    struct Shape {
        let prompts: [Int]
        let outputs: [Int]

        static let all: [Shape] = (1...4).flatMap { first in
            (1...4).flatMap { second in
                [1, 3].flatMap { third in [1, 3].map { Shape(prompts: [first, second], outputs: [third, $0]) } }
            }
        }
    }

    private func check(
        _ shape: Shape, arrival: Int, abort: Int?, budget: Int, _ blockCount: Int, _ blockSize: Int
    ) {
        let longest = blockCount * blockSize
        guard shape.prompts.allSatisfy({ $0 < longest }) else { return }
        var world = SchedulerWorld(
            blockCount: blockCount, blockSize: blockSize, maxBatchedTokenCount: budget, maxSequenceCount: 2)
        var ids: [RequestID] = []
        // Equal tokens, so that the two share prefixes wherever they can.
        let prompts = shape.prompts.map { [Int32](repeating: 1, count: $0) }
        ids.append(world.add(prompts[0]) { $0.maxTokens = shape.outputs[0] })
        for _ in 0..<arrival { world.step() }
        ids.append(world.add(prompts[1]) { $0.maxTokens = shape.outputs[1] })
        var isAborted = false
        if let abort {
            for _ in 0..<abort { world.step() }
            isAborted = world.abort(ids[0])
        }
        world.run(maxSteps: 200)
        if !world.brokenInvariants.isEmpty { Issue.record("\(shape) \(budget): \(world.brokenInvariants)") }
        for (index, id) in ids.enumerated() where !(isAborted && index == 0) {
            let count = min(shape.outputs[index], longest - prompts[index].count)
            if world.outputs[id] != SchedulerWorld.alone(prompts[index], tokenCount: count) {
                Issue.record("\(shape), budget \(budget): request \(index) gave \(world.outputs[id] ?? [])")
            }
        }
    }
}
