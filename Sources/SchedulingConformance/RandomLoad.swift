import Requests
import Scheduling
import SharedValues

/// Requests of every kind in a world of random size.
struct RandomLoad {
    let seed: UInt64

    private struct Expectation {
        let prompt: [Int32]
        let tokenCount: Int
        let isScored: Bool

        var withoutScores: Expectation { Expectation(prompt: prompt, tokenCount: tokenCount, isScored: false) }
    }

    func run(_ policy: any SchedulerPolicy) -> LoadOutcome {
        var random = SplitMix64(seed: seed)
        let blockSize = [1, 2, 4, 16][Int(seed % 4)]
        let groups = Self.groups(blockSize: blockSize, seed: seed, &random)
        // Room for one sequence of 24 tokens and a few blocks more, in whatever windows.
        let blockCount =
            max(2, groups.maximumBlockCount(forTokens: 24, chunkTokenCount: 24)) + random.next(below: 6 * groups.count)
        let budget = 1 + random.next(below: 20)
        let longest = groups.maximumTokenCount(inBlocks: blockCount, chunkTokenCount: budget, limit: 30)
        var world = SchedulerWorld(
            blockCount: blockCount, groups: groups, maxBatchedTokenCount: budget,
            maxSequenceCount: 1 + random.next(below: 6),
            maxModelLength: longest, prefixCaching: seed % 5 != 0, maxScoredCount: 1 + random.next(below: 8),
            maxPreemptionCount: random.next(below: 4),
            maxOvertakingCount: 1 + random.next(below: 40),
            swapBlockCount: seed % 3 == 0 ? 0 : random.next(below: 2 * blockCount), policy: policy,
            speeds: PreemptionSpeeds(
                tokenSeconds: 1, moveSeconds: Double(random.next(below: 2 * blockSize + 1)) / 2))
        var expectations: [RequestID: Expectation] = [:]
        var schedule: [[UInt64]] = []
        for _ in 0..<120 {
            if expectations.count < 40, random.next(below: 3) == 0 {
                let (id, expectation) = arrival(in: &world, longest: longest, &random)
                expectations[id] = expectation
                for _ in 0..<random.next(below: 3) where random.next(below: 4) == 0 {
                    expectations[choice(of: id, expectation, in: &world)] = expectation.withoutScores
                }
            }
            if random.next(below: 12) == 0, let id = expectations.keys.sorted().randomElement(using: &random) {
                _ = world.abort(id)
            }
            schedule.append(world.step(fails: random.next(below: 40) == 0).scheduled.map(\.id.rawValue))
        }
        world.run(maxSteps: 20_000)
        return LoadOutcome(failures: world.brokenInvariants + judge(world, expectations, groups), schedule: schedule)
    }

    /// One group in most worlds, with a window in some; two or three in others, with blocks of two sizes in some.
    private static func groups(blockSize: Int, seed: UInt64, _ random: inout SplitMix64) -> [CacheGroup] {
        let full = CacheGroup(blockSize: blockSize)
        let sliding = CacheGroup(blockSize: blockSize, slidingWindow: 1 + random.next(below: 8))
        let wider = CacheGroup(blockSize: 2 * blockSize, slidingWindow: 1 + random.next(below: 12))
        return switch seed % 7 {
        case 1: [sliding, full]
        case 2: [sliding, sliding, CacheGroup(blockSize: 2 * blockSize)]
        case 3: [sliding]
        case 5: [full, sliding, wider]
        case 6: [sliding, wider]
        default: [full]
        }
    }

    private func arrival(
        in world: inout SchedulerWorld, longest: Int, _ random: inout SplitMix64
    ) -> (RequestID, Expectation) {
        // Two tokens only, so that prefixes are shared all the time.
        let prompt = (0..<1 + random.next(below: longest - 1)).map { _ in Int32(random.next(below: 2)) }
        let maxTokens = random.next(below: 8) == 0 ? 0 : 1 + random.next(below: 12)
        let isScored = random.next(below: 6) == 0
        let id = world.add(
            prompt, priority: random.next(below: 4), tenant: ["", "a", "b"][random.next(below: 3)],
            deadlineSeconds: random.next(below: 4) == 0 ? Double(random.next(below: 100)) / 1000 : nil
        ) {
            $0.maxTokens = maxTokens
            $0.promptLogprobs = isScored ? 0 : nil
        }
        return (id, Expectation(prompt: prompt, tokenCount: min(maxTokens, longest - prompt.count), isScored: isScored))
    }

    /// One more choice of the same prompt.
    private func choice(
        of leader: RequestID, _ expectation: Expectation, in world: inout SchedulerWorld
    ) -> RequestID {
        world.add(expectation.prompt, leader: leader) { $0.maxTokens = expectation.tokenCount }
    }

    private func judge(
        _ world: borrowing SchedulerWorld, _ expectations: [RequestID: Expectation], _ groups: [CacheGroup]
    ) -> [String] {
        var failures: [String] = []
        for (id, expected) in expectations.sorted(by: { $0.key < $1.key }) {
            let alone = SchedulerWorld.alone(
                expected.prompt, tokenCount: expected.tokenCount, groups: groups)
            let output = world.outputs[id] ?? []
            if world.reasons[id] == .length {
                if output != alone { failures.append("\(id) gave \(output), alone it gives \(alone)") }
                let scoreCount = expected.isScored ? expected.prompt.count - 1 : 0
                if world.scores[id]?.count ?? 0 != scoreCount { failures.append("\(id) was not scored as asked") }
            } else if !alone.starts(with: output) {
                failures.append("\(id) gave \(output) before it ended early, alone it gives \(alone)")
            }
        }
        return failures
    }
}
