public import Backends
public import SharedValues

/// Where the time of a step goes, kernel by kernel: single new tokens of some sequences, then a chunk of a prompt.
public struct KernelBenchmark: Sendable {
    /// Sequences of the steps that add one token to each.
    public var sequenceCounts = [1, 8, 32]
    /// Positions of their contexts, the new one included.
    public var contextLength = 512
    /// Tokens of the prompt's chunk.
    public var chunkTokenCount = 512
    /// How often each step runs; a kernel's time is the median.
    public var repeatCount = 5

    /// One, 8 and 32 sequences of 512 tokens, a chunk of 512, five times each.
    public init() {}

    /// What the steps need of the plan.
    public var limits: (tokenCount: Int, sequenceCount: Int, contextLength: Int) {
        (
            max(chunkTokenCount, sequenceCounts.max() ?? 1), sequenceCounts.max() ?? 1,
            max(contextLength, chunkTokenCount)
        )
    }

    /// Blocks that the steps need at once in all cache `groups`.
    public func blockCount(groups: [CacheGroup]) -> Int {
        func blocks(_ tokenCount: Int) -> Int { groups.reduce(0) { $0 + $1.blockCount(forTokens: tokenCount) } }
        return max((sequenceCounts.max() ?? 1) * blocks(contextLength), blocks(chunkTokenCount))
    }

    /// Times every step on `plan`, which has a cache of as many blocks. Throws what the plan throws.
    public func run(
        on plan: any PreparedPlan, groups: [CacheGroup], vocabularySize: Int
    ) throws(BackendError) -> [KernelFigures] {
        var figures: [KernelFigures] = []
        for count in sequenceCounts {
            let batch = batch(
                sequences: count, tokenCount: 1, firstPosition: contextLength - 1, groups, vocabularySize)
            figures.append(
                try run(batch, "1 token each of \(count) sequences at position \(contextLength - 1)", on: plan))
        }
        let chunk = batch(sequences: 1, tokenCount: chunkTokenCount, firstPosition: 0, groups, vocabularySize)
        figures.append(try run(chunk, "\(chunkTokenCount) tokens of a prompt", on: plan))
        return figures
    }

    private func batch(
        sequences: Int, tokenCount: Int, firstPosition: Int, _ groups: [CacheGroup], _ vocabularySize: Int
    ) -> ForwardBatch {
        var batch = ForwardBatch(groups: groups)
        let counts = groups.map { $0.blockCount(forTokens: firstPosition + tokenCount) }
        for sequence in 0..<sequences {
            // Blocks of different sequences are interleaved, as they are after some time of serving.
            var next = 0
            let blocks = counts.map { count in
                defer { next += count }
                return (next..<next + count).map { Int32($0 * sequences + sequence) }
            }
            batch.append(
                tokens: (0..<tokenCount).map { Int32(($0 * 7919 + sequence * 104_729) % vocabularySize) },
                firstPosition: firstPosition, blocks: blocks)
            batch.sampleRows.append(Int32(batch.tokenCount - 1))
            batch.rowRequests.append(RowRequest(inverseTemperature: 1))
        }
        return batch
    }

    private func run(
        _ batch: ForwardBatch, _ name: String, on plan: any PreparedPlan
    ) throws(BackendError) -> KernelFigures {
        // A device that was idle needs some tenths of a second to reach its full clock.
        let start = ContinuousClock.now
        repeat { _ = try plan.time(batch) } while start.duration(to: .now) < .milliseconds(300)
        var runs: [[KernelTiming]] = []
        for _ in 0..<max(1, repeatCount) { runs.append(try plan.time(batch)) }
        return KernelFigures(step: name, runs: runs)
    }
}

/// The kernels of one step.
public struct KernelFigures: Sendable, Hashable, Codable {
    /// Runs of one kernel over operands of one shape, all of a step.
    public struct Kernel: Sendable, Hashable, Codable {
        public let kernel: String
        /// What it computes, with shapes.
        public let label: String
        /// How often in a step.
        public private(set) var count: Int
        /// All of them together.
        public private(set) var seconds: Double
        /// Minimum number of bytes that they must move.
        public private(set) var bytes: Int
        /// Bytes that they move without shared caches; nil where that is not known.
        public private(set) var movedBytes: Int?
        public private(set) var operations: Int

        fileprivate mutating func add(_ timing: KernelTiming, seconds: Double) {
            count += 1
            self.seconds += seconds
            bytes += timing.byteCount
            if let moved = timing.movedByteCount { movedBytes = (movedBytes ?? 0) + moved }
            operations += timing.operationCount
        }
    }

    /// What the step is.
    public let step: String
    /// The costliest first.
    public let kernels: [Kernel]

    /// From runs of the same step; a dispatch takes the median of its times.
    init(step: String, runs: [[KernelTiming]]) {
        self.step = step
        var kernels: [Kernel] = []
        for (index, timing) in (runs.first ?? []).enumerated() {
            let seconds = Percentiles(runs.map { $0[index].seconds }).median
            if let known = kernels.firstIndex(where: { $0.kernel == timing.kernel && $0.label == timing.label }) {
                kernels[known].add(timing, seconds: seconds)
            } else {
                kernels.append(
                    Kernel(
                        kernel: timing.kernel, label: timing.label, count: 1, seconds: seconds,
                        bytes: timing.byteCount, movedBytes: timing.movedByteCount, operations: timing.operationCount))
            }
        }
        self.kernels = kernels.sorted { $0.seconds > $1.seconds }
    }

    /// All kernels together.
    public var seconds: Double { kernels.reduce(0) { $0 + $1.seconds } }

    /// The minimum time on a device of this speed, where each kernel is limited by memory or by arithmetic.
    public func floor(at speed: DeviceSpeed) -> Double {
        kernels.reduce(0) {
            $0
                + max(
                    Double($1.bytes) / speed.memoryBytesPerSecond, Double($1.operations) / speed.operationsPerSecond)
        }
    }
}
