import KVCaching
import Requests
import Scheduling

/// A scheduler on a scripted executor: steps it, checks every invariant after every step, collects what comes out.
struct SchedulerWorld: ~Copyable {
    static let vocabularySize = 50
    private(set) var scheduler: Scheduler
    private var executor: ScriptedExecutor
    private let limits: SchedulerLimits
    private(set) var outputs: [RequestID: [Int32]] = [:]
    private(set) var scores: [RequestID: [Int32]] = [:]
    private(set) var reasons: [RequestID: FinishReason] = [:]
    private(set) var brokenInvariants: [String] = []
    private(set) var stepCount = 0
    private var nextID: UInt64 = 0

    init(
        blockCount: Int, blockSize: Int, maxBatchedTokenCount: Int = 64, maxSequenceCount: Int = 8,
        maxModelLength: Int? = nil, prefixCaching: Bool = true, maxScoredCount: Int = 64,
        policy: any SchedulerPolicy = FirstComeFirstServed()
    ) {
        limits = SchedulerLimits(
            maxBatchedTokenCount: maxBatchedTokenCount, maxSequenceCount: maxSequenceCount,
            maxModelLength: maxModelLength ?? blockCount * blockSize, maxScoredCount: maxScoredCount)
        scheduler = Scheduler(
            limits: limits,
            cache: KVCacheManager(blockCount: blockCount, blockSize: blockSize, isPrefixCachingEnabled: prefixCaching),
            policy: policy)
        executor = ScriptedExecutor(
            vocabularySize: Self.vocabularySize, blockCount: blockCount, blockSize: blockSize)
    }

    mutating func add(_ prompt: [Int32], _ configure: (inout SamplingParameters) -> Void = { _ in }) -> RequestID {
        var sampling = SamplingParameters()
        configure(&sampling)
        let id = RequestID(nextID)
        nextID += 1
        scheduler.add(
            Request(id: id, prompt: prompt, sampling: sampling, arrival: EngineInstant(nanoseconds: nextID)))
        outputs[id] = []
        return id
    }

    mutating func abort(_ id: RequestID) -> Bool { scheduler.abort(id) }

    @discardableResult
    mutating func step() -> SchedulerOutput {
        let output = scheduler.schedule(at: EngineInstant(nanoseconds: UInt64(stepCount)))
        check(output.tokenCount <= limits.maxBatchedTokenCount, "\(output.tokenCount) tokens in a step")
        check(output.scheduled.allSatisfy { !$0.tokens.isEmpty }, "a request was scheduled without tokens")
        check(Set(output.scheduled.map(\.id)).count == output.scheduled.count, "a request was scheduled twice")
        check(
            output.scheduled.reduce(0) { $0 + $1.scoredPositions.count } <= limits.maxScoredCount,
            "too many positions scored")
        if let broken = scheduler.checkInvariants() { brokenInvariants.append("after schedule: \(broken)") }
        let progress = scheduler.update(output, with: executor.execute(output))
        if let broken = scheduler.checkInvariants() { brokenInvariants.append("after update: \(broken)") }
        for entry in progress {
            if let token = entry.token { outputs[entry.id, default: []].append(token) }
            scores[entry.id, default: []] += entry.promptLogprobs.map(\.chosen.token)
            if let finish = entry.finish { reasons[entry.id] = finish }
        }
        stepCount += 1
        return output
    }

    /// Steps until nothing is left; records a broken invariant when a step makes no progress for long.
    mutating func run(maxSteps: Int = 100_000) {
        var steps = 0
        while !scheduler.isIdle {
            step()
            steps += 1
            guard steps < maxSteps else {
                brokenInvariants.append("not finished after \(maxSteps) steps")
                return
            }
        }
        let statistics = scheduler.statistics
        check(statistics.freeBlockCount == statistics.blockCount, "blocks are lost")
    }

    private mutating func check(_ condition: Bool, _ message: String) {
        if !condition { brokenInvariants.append(message) }
    }

    /// What a request produces when it is alone in the world.
    static func alone(_ prompt: [Int32], tokenCount: Int) -> [Int32] {
        var tokens = prompt
        for _ in 0..<tokenCount {
            tokens.append(ScriptedExecutor.next(after: tokens, vocabularySize: vocabularySize))
        }
        return Array(tokens.dropFirst(prompt.count))
    }
}
