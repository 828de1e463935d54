import BackendCPU
import Backends
import Requests
import Scheduling
import SharedValues
import Tensors
import Testing
import Weights

/// A request's tokens and their probabilities have the same bits whatever requests share its batch, however its prompt is
/// cut, whether it is preempted, swapped out and in, or finds its prefix in the cache.
@Suite struct NeighbourIndependenceTests {
    private struct Load {
        let prompt: [Int32]
        let sampling: SamplingParameters
        /// The step before which it comes, and that before which it leaves again.
        let arrival: Int
        let departure: Int?
    }

    private static let hosts: [Device] = [.reference, .cpu(.best, threads: 2), .cpu(.portable, threads: 1)]

    private static let graphics = Device.vulkan + Device.cards.suffix(1)

    private static let checkpoints = [
        "llama-gqa-untied", "llama3-rope", "llama-odd", "quantized-awq-4bit", "quantized-gptq-3bit", "llama-gguf",
    ]

    /// Every load on every device of the host, and each on one Vulkan device: most faults that a load finds are those of the
    /// scheduler and of the block manager, which know no devices, and a step on a software driver takes long.
    private static let randomChoices: [(Device, seed: UInt64)] =
        hosts.flatMap { host in (0..<6).map { (host, seed: $0) } }
        + (graphics.isEmpty ? [] : (0..<6).map { (graphics[$0 % graphics.count], seed: UInt64($0)) })

    @Test("under random loads", arguments: randomChoices)
    func randomLoads(device: Device, seed: UInt64) throws {
        var random = SplitMix64(seed: seed &* 1000 + 7)
        let type = [WeightType.bf16, .f32].randomElement(using: &random) ?? .f32
        let machine = try Machine(
            path: Golden.path(Self.checkpoints[Int(seed) % 6]), type: type, on: device,
            maxTokenCount: 64, maxSequenceCount: 8)
        let cacheType = [CacheType.f32, .bf16, .f16, .int8].randomElement(using: &random) ?? .f32
        let loads = Self.loads(count: 24, &random)
        let alone = machine.layout(blockSize: 16, cacheType: cacheType)
        var expected: [([Int32], [TokenLogprobs])] = []
        for load in loads {
            var world = EngineWorld(
                runner: try machine.runner(alone, blockCount: 8), blockCount: 8, groups: alone.groups,
                limits: SchedulerLimits(maxBatchedTokenCount: 64, maxSequenceCount: 1, maxModelLength: 128))
            let id = world.add(load.prompt, load.sampling)
            while !world.isIdle { try world.step() }
            expected.append((world.tokens[id] ?? [], world.logprobs[id] ?? []))
        }
        var recomputedCount = 0
        var hitCount = 0
        var swapOutCount = 0
        for world in 0..<4 {
            // In the last one, preempted requests are swapped out; in the others but the first, there may be room for that
            // or not.
            let isSwapping = world == 3
            let blockSize = [1, 2, 8, 16, 32].randomElement(using: &random) ?? 16
            // Room for one sequence of the greatest length and little more, so that others must give way. In the first two
            // for no more at all, once without and once with blocks that can be found again.
            let isTight = world < 2
            let blockCount = 128 / blockSize + (isTight ? 0 : Int.random(in: 0...(96 / blockSize), using: &random))
            let roomToSwap = isSwapping ? 8 * blockCount : Int.random(in: 0...blockCount, using: &random)
            let swapBlockCount = world == 0 ? 0 : roomToSwap
            let layout = machine.layout(blockSize: blockSize, cacheType: cacheType)
            var world = EngineWorld(
                runner: try machine.runner(layout, blockCount: blockCount, swapBlockCount: swapBlockCount),
                blockCount: blockCount, groups: layout.groups,
                limits: SchedulerLimits(
                    maxBatchedTokenCount: isTight ? 64 : Int.random(in: 1...64, using: &random),
                    maxSequenceCount: isSwapping || isTight ? 8 : Int.random(in: 1...8, using: &random),
                    maxModelLength: 128),
                prefixCaching: isTight ? world == 1 : Bool.random(using: &random), swapBlockCount: swapBlockCount,
                policy: AdjustedPolicy(FirstComeFirstServed(), preemption: isSwapping ? .swap : nil))
            let ids = try Self.run(loads, in: &world)
            for (index, load) in loads.enumerated() {
                let (tokens, logprobs) = (world.tokens[ids[index]] ?? [], world.logprobs[ids[index]] ?? [])
                // Whoever left early has a beginning of the same.
                #expect(load.departure != nil || tokens.count == expected[index].0.count)
                #expect(tokens == Array(expected[index].0.prefix(tokens.count)))
                #expect(logprobs == Array(expected[index].1.prefix(logprobs.count)))
            }
            #expect(world.statistics.freeBlockCount == blockCount)
            #expect(world.statistics.freeSwapBlockCount == swapBlockCount)
            if isSwapping { swapOutCount += world.statistics.swapOutCount }
            recomputedCount += world.statistics.recomputedTokenCount
            hitCount += world.statistics.prefixHitCount
        }
        #expect(swapOutCount > 0)
        // Worlds in which nothing is ever computed again or found would prove little.
        #expect(recomputedCount > 0 && hitCount > 0)
    }

    /// A window, whether only the first of two layers has it, and how the cache stores numbers.
    private static let windows: [(Int, isMixed: Bool, CacheType)] = [
        (5, false, .f32), (24, false, .f32), (5, true, .int8), (24, true, .bf16),
    ]

    /// Every window on every device of the host, and on each Vulkan device one in all layers and one in some.
    private static let windowChoices: [(Device, (Int, isMixed: Bool, CacheType))] =
        hosts.flatMap { host in windows.map { (host, $0) } }
        + graphics.enumerated().flatMap { index, device in
            [(device, windows[index % 2]), (device, windows[2 + index % 2])]
        }

    @Test("with a sliding window in all layers or in one, behind which blocks are freed", arguments: windowChoices)
    func slidingWindow(device: Device, choice: (Int, isMixed: Bool, CacheType)) throws {
        let (window, isMixed, cacheType) = choice
        var random = SplitMix64(seed: UInt64(window))
        let machine = try Machine(
            path: Golden.path("llama-gqa-untied"), on: device, maxTokenCount: 64, maxSequenceCount: 8,
            slidingWindow: window, layersWithoutWindow: isMixed ? [1] : [])
        #expect(machine.layout(blockSize: 4).groups.map(\.slidingWindow) == (isMixed ? [window, nil] : [window]))
        let loads = Self.loads(count: isMixed ? 8 : 12, &random)
        var expected: [[TokenLogprobs]] = []
        var (preemptionCount, hitCount) = (0, 0)
        for isFreeing in [false, true] {
            // Alone nothing is given back. Together there is room for one prompt and for little beside.
            let layout = machine.layout(blockSize: 4, cacheType: cacheType, isGrouped: isFreeing)
            let blockCount = isFreeing ? 20 * layout.groups.count : 32
            for swapBlockCount in isFreeing ? [0, 60] : [0] {
                var world = EngineWorld(
                    runner: try machine.runner(layout, blockCount: blockCount, swapBlockCount: swapBlockCount),
                    blockCount: blockCount, groups: layout.groups,
                    limits: SchedulerLimits(
                        maxBatchedTokenCount: isFreeing ? 24 : 64, maxSequenceCount: isFreeing ? 8 : 1,
                        maxModelLength: 80),
                    prefixCaching: isFreeing, swapBlockCount: swapBlockCount)
                let ids = try Self.run(loads, in: &world)
                let found = ids.map { world.logprobs[$0] ?? [] }
                if isFreeing {
                    for (load, (found, whole)) in zip(loads, zip(found, expected)) {
                        let count = load.departure == nil ? whole.count : min(found.count, whole.count)
                        #expect(found.prefix(count) == whole.prefix(count))
                    }
                } else {
                    expected = found
                }
                preemptionCount += world.statistics.preemptionCount
                hitCount += world.statistics.prefixHitCount
                #expect(world.statistics.freeBlockCount == blockCount)
                #expect(world.statistics.freeSwapBlockCount == swapBlockCount)
            }
        }
        // A short window leaves so much room that nobody has to give way.
        #expect(hitCount > 0 && (preemptionCount > 0 || !isMixed))
    }

    /// Windows, layers that share keys and values, soft caps, scaled positions: whatever families have. Every family gets
    /// a load, chunks, a cache type and a pool of its own, on the CPU.
    @Test("of every family, with blocks of 1, 16 and 256 tokens", arguments: [1, 16, 256])
    func families(blockSize: Int) throws {
        var random = SplitMix64(seed: UInt64(blockSize))
        var (preemptionCount, swapOutCount, hitCount) = (0, 0, 0)
        for name in Golden.families where !name.hasSuffix(".gguf") {
            let machine = try Machine(
                path: Golden.family(name).path, on: .cpu(.best, threads: 1), maxTokenCount: 64, maxSequenceCount: 4)
            let cacheType = [CacheType.f32, .bf16, .int8].randomElement(using: &random) ?? .f32
            let loads = Self.loads(count: 5, vocabularySize: 96, &random)
            func found(
                _ layout: CacheLayout, chunk: Int, sequences: Int, spareBlockCount: Int, swapBlockCount: Int = 0
            ) throws -> ([[TokenLogprobs]], SchedulerStatistics) {
                let blockCount =
                    layout.groups.maximumBlockCount(forTokens: 128, chunkTokenCount: chunk) + spareBlockCount
                var world = EngineWorld(
                    runner: try machine.runner(layout, blockCount: blockCount, swapBlockCount: swapBlockCount),
                    blockCount: blockCount, groups: layout.groups,
                    limits: SchedulerLimits(
                        maxBatchedTokenCount: chunk, maxSequenceCount: sequences, maxModelLength: 128),
                    prefixCaching: sequences > 1, swapBlockCount: swapBlockCount)
                let ids = try Self.run(loads, in: &world)
                #expect(world.statistics.freeBlockCount == blockCount, "\(name)")
                return (ids.map { world.logprobs[$0] ?? [] }, world.statistics)
            }
            let alone = try found(
                machine.layout(blockSize: 16, cacheType: cacheType, isGrouped: false), chunk: 64, sequences: 1,
                spareBlockCount: 0
            )
            let together = try found(
                machine.layout(blockSize: blockSize, cacheType: cacheType),
                chunk: Int.random(in: 5...24, using: &random),
                sequences: 4, spareBlockCount: Int.random(in: 0...48, using: &random) / blockSize,
                swapBlockCount: Bool.random(using: &random) ? 256 : 0)
            for (load, (found, whole)) in zip(loads, zip(together.0, alone.0)) {
                let count = load.departure == nil ? whole.count : min(found.count, whole.count)
                #expect(found.prefix(count) == whole.prefix(count), "\(name), \(cacheType)")
            }
            preemptionCount += together.1.preemptionCount
            swapOutCount += together.1.swapOutCount
            hitCount += together.1.prefixHitCount
        }
        // A block of 256 tokens holds any of these sequences, and none of them fills it.
        #expect(blockSize == 256 || preemptionCount > 0 && swapOutCount > 0 && hitCount > 0)
    }

    private static func run(_ loads: [Load], in world: inout EngineWorld) throws -> [RequestID] {
        var ids = [RequestID?](repeating: nil, count: loads.count)
        var step = 0
        while ids.contains(nil) || !world.isIdle {
            for (index, load) in loads.enumerated() {
                if load.arrival == step { ids[index] = world.add(load.prompt, load.sampling) }
                if let id = ids[index], load.departure == step { world.abort(id) }
            }
            try world.step()
            step += 1
            try #require(step < 20_000, "the load does not finish")
        }
        return ids.compactMap { $0 }
    }

    /// Prompts that often begin alike; greedy and sampled, short and long.
    private static func loads(
        count: Int, vocabularySize: Int32 = 288, _ random: inout SplitMix64
    ) -> [Load] {
        let common = (0..<40).map { _ in Int32.random(in: 3..<vocabularySize, using: &random) }
        return (0..<count).map { _ in
            let shared = Bool.random(using: &random) ? Int.random(in: 0...40, using: &random) : 0
            let own = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                Int32.random(in: 3..<vocabularySize, using: &random)
            }
            var sampling = SamplingParameters()
            sampling.temperature = Bool.random(using: &random) ? 0 : 1
            sampling.seed = UInt64.random(in: 0 ... .max, using: &random)
            sampling.repetitionPenalty = Bool.random(using: &random) ? 1 : 1.2
            sampling.topP = 0.9
            sampling.maxTokens = Int.random(in: 1...30, using: &random)
            sampling.logprobs = 2
            let arrival = Int.random(in: 0...30, using: &random)
            let leaves = Int.random(in: 0..<5, using: &random) == 0
            return Load(
                prompt: Array(common.prefix(shared)) + own, sampling: sampling, arrival: arrival,
                departure: leaves ? arrival + Int.random(in: 1...40, using: &random) : nil)
        }
    }
}
