import KVCaching
public import Requests
public import Scheduling
public import SharedValues

/// A scheduler on a scripted executor: steps it, checks every invariant after every step, and collects the output.
public struct SchedulerWorld: ~Copyable {
    /// Tokens of the scripted executor are below this.
    public static let vocabularySize = 50
    public private(set) var scheduler: Scheduler
    private var executor: ScriptedExecutor
    private let limits: SchedulerLimits
    /// Each request's output so far.
    public private(set) var outputs: [RequestID: [Int32]] = [:]
    /// Each request's scores of prompt tokens: the most likely token at each position.
    public private(set) var scores: [RequestID: [Int32]] = [:]
    /// Why requests ended.
    public private(set) var reasons: [RequestID: FinishReason] = [:]
    /// All broken invariants, in words.
    public private(set) var brokenInvariants: [String] = []
    /// Steps taken so far; each takes a millisecond.
    public private(set) var stepCount = 0
    /// Whether the block manager is searched for broken invariants after each step; slow for large pools.
    public var checksEveryStep = true
    private var nextID: UInt64 = 0
    private var admissions: [RequestID] = []
    /// The adapter of each request that has one, and of each slot that was loaded.
    private var adapters: [RequestID: AdapterID] = [:]
    private var slotAdapters: [Int: AdapterID] = [:]

    /// An empty world over the cache `groups`. `maxModelLength` is as much as fits into the pool, unless given.
    public init(
        blockCount: Int, groups: [CacheGroup], maxBatchedTokenCount: Int = 64, maxSequenceCount: Int = 8,
        maxModelLength: Int? = nil, prefixCaching: Bool = true, maxScoredCount: Int = 64,
        maxPreemptionCount: Int = 8, maxOvertakingCount: Int = 4096, swapBlockCount: Int = 0,
        adapterSlotCount: Int = 0, maxAdapterWaitCount: Int = 64, policy: any SchedulerPolicy = FirstComeFirstServed(),
        speeds: PreemptionSpeeds? = nil
    ) {
        let longest = groups.maximumTokenCount(
            inBlocks: blockCount, chunkTokenCount: maxBatchedTokenCount,
            limit: blockCount * (groups.map(\.blockSize).max() ?? 1))
        limits = SchedulerLimits(
            maxBatchedTokenCount: maxBatchedTokenCount, maxSequenceCount: maxSequenceCount,
            maxModelLength: maxModelLength ?? longest, maxScoredCount: maxScoredCount,
            maxPreemptionCount: maxPreemptionCount, maxOvertakingCount: maxOvertakingCount,
            adapterSlotCount: adapterSlotCount, maxAdapterWaitCount: maxAdapterWaitCount)
        scheduler = Scheduler(
            limits: limits,
            cache: KVCacheManager(
                blockCount: blockCount, groups: groups, isPrefixCachingEnabled: prefixCaching,
                swapBlockCount: swapBlockCount),
            policy: policy, speeds: speeds)
        executor = ScriptedExecutor(
            vocabularySize: Self.vocabularySize, blockCount: blockCount, groups: groups, swapBlockCount: swapBlockCount)
    }

    /// An empty world with one cache group.
    public init(
        blockCount: Int, blockSize: Int, maxBatchedTokenCount: Int = 64, maxSequenceCount: Int = 8,
        maxModelLength: Int? = nil, prefixCaching: Bool = true, maxScoredCount: Int = 64,
        maxPreemptionCount: Int = 8, maxOvertakingCount: Int = 4096, swapBlockCount: Int = 0,
        slidingWindow: Int? = nil, adapterSlotCount: Int = 0, maxAdapterWaitCount: Int = 64,
        policy: any SchedulerPolicy = FirstComeFirstServed(), speeds: PreemptionSpeeds? = nil
    ) {
        self.init(
            blockCount: blockCount, groups: [CacheGroup(blockSize: blockSize, slidingWindow: slidingWindow)],
            maxBatchedTokenCount: maxBatchedTokenCount, maxSequenceCount: maxSequenceCount,
            maxModelLength: maxModelLength, prefixCaching: prefixCaching, maxScoredCount: maxScoredCount,
            maxPreemptionCount: maxPreemptionCount, maxOvertakingCount: maxOvertakingCount,
            swapBlockCount: swapBlockCount, adapterSlotCount: adapterSlotCount,
            maxAdapterWaitCount: maxAdapterWaitCount, policy: policy, speeds: speeds)
    }

    /// The tokens that fit into the pool alone, or as many as the world was given.
    public var maxModelLength: Int { limits.maxModelLength }

    public var now: EngineInstant { EngineInstant(nanoseconds: UInt64(stepCount) * 1_000_000) }

    /// The order in which requests were first admitted.
    public var admissionOrder: [RequestID] { admissions }

    /// Lets a request arrive now.
    @discardableResult
    public mutating func add(
        _ prompt: [Int32], priority: Int = 0, tenant: String = "", deadlineSeconds: Double? = nil,
        cacheSalt: String? = nil, adapter: AdapterID? = nil, leader: RequestID? = nil,
        _ configure: (inout SamplingParameters) -> Void = { _ in }
    ) -> RequestID {
        var sampling = SamplingParameters()
        configure(&sampling)
        let id = RequestID(nextID)
        nextID += 1
        scheduler.add(
            Request(
                id: id, prompt: prompt,
                attributes: RequestAttributes(
                    sampling: sampling, priority: priority, tenant: tenant, deadlineSeconds: deadlineSeconds,
                    cacheSalt: cacheSalt, adapter: adapter),
                arrival: now, leader: leader))
        outputs[id] = []
        adapters[id] = adapter
        return id
    }

    /// Forgets an adapter without requests.
    public mutating func forget(_ adapter: AdapterID) { scheduler.forget(adapter) }

    /// Drops a request; false where it has ended already.
    public mutating func abort(_ id: RequestID) -> Bool {
        let isAborted = scheduler.abort(id)
        if isAborted {
            check(reasons[id] == nil, "\(id) was aborted after its end")
            reasons[id] = .abort
        }
        return isAborted
    }

    /// Takes a step and checks it. With `fails`, the device fails to run it.
    @discardableResult
    public mutating func step(fails: Bool = false) -> SchedulerOutput {
        let hadWork = !scheduler.isIdle
        let output = scheduler.schedule(at: now)
        inspect(output, hadWork: hadWork)
        checkInvariants("after schedule")
        stepCount += 1
        if fails {
            for id in scheduler.failStep(output) { finish(id, .failure("told to fail")) }
        } else {
            for entry in scheduler.update(output, with: executor.execute(output), at: now) { take(entry) }
        }
        checkInvariants("after update")
        return output
    }

    private mutating func inspect(_ output: SchedulerOutput, hadWork: Bool) {
        check(output.tokenCount <= limits.maxBatchedTokenCount, "\(output.tokenCount) tokens in a step")
        for direction in BlockMove.Direction.allCases {
            let round = output.moves.filter { $0.direction == direction }
            check(Set(round.map(\.target)).count == round.count, "two moves fill the same block")
        }
        check(output.scheduled.allSatisfy { !$0.tokens.isEmpty }, "a request was scheduled without tokens")
        check(Set(output.scheduled.map(\.id)).count == output.scheduled.count, "a request was scheduled twice")
        check(output.scheduled.count <= limits.maxSequenceCount, "\(output.scheduled.count) requests in a step")
        check(
            output.scheduled.reduce(0) { $0 + $1.scoredPositions.count } <= limits.maxScoredCount,
            "too many positions scored")
        check(!hadWork || !output.isEmpty || scheduler.isIdle, "a step did nothing although there was work")
        check(
            Set(output.preempted).isDisjoint(with: output.scheduled.map(\.id)), "a preempted request was scheduled")
        check(Set(output.adapterLoads.map(\.slot)).count == output.adapterLoads.count, "a slot was loaded twice")
        for load in output.adapterLoads {
            check((0..<limits.adapterSlotCount).contains(load.slot), "there is no slot \(load.slot)")
            slotAdapters[load.slot] = load.adapter
        }
        for scheduled in output.scheduled {
            check(
                adapters[scheduled.id] == scheduled.adapterSlot.flatMap { slotAdapters[$0] },
                "\(scheduled.id) runs with another adapter")
        }
        for rejected in output.rejected {
            check(!rejected.reason.isEmpty, "\(rejected.id) was refused without a reason")
            finish(rejected.id, .rejected(rejected.reason))
        }
        admissions += output.admitted.map(\.id)
    }

    private mutating func take(_ entry: RequestProgress) {
        check(reasons[entry.id] == nil, "\(entry.id) went on after its end")
        outputs[entry.id, default: []] += entry.result.tokens
        scores[entry.id, default: []] += entry.result.promptLogprobs.map(\.chosen.token)
        if let reason = entry.finish { finish(entry.id, reason) }
    }

    private mutating func finish(_ id: RequestID, _ reason: FinishReason) {
        check(reasons[id] == nil, "\(id) ended twice")
        reasons[id] = reason
    }

    private mutating func checkInvariants(_ when: String) {
        guard checksEveryStep, let broken = scheduler.checkInvariants() else { return }
        brokenInvariants.append("\(when): \(broken)")
    }

    /// Steps until no request is left and checks that nothing is lost; stops after `maxSteps`.
    public mutating func run(maxSteps: Int = 100_000) {
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
        check(statistics.freeSwapBlockCount == statistics.swapBlockCount, "blocks of the swap space are lost")
        check(statistics.swappedCount == 0, "\(statistics.swappedCount) requests are swapped at the end")
        check(statistics.runningAdapters == [] && statistics.waitingAdapters == [], "adapters are in use at the end")
        if let broken = scheduler.checkInvariants() { brokenInvariants.append("at the end: \(broken)") }
        for id in outputs.keys.sorted() where reasons[id] == nil { brokenInvariants.append("\(id) was lost") }
    }

    private mutating func check(_ condition: Bool, _ message: @autoclosure () -> String) {
        if !condition { brokenInvariants.append(message()) }
    }

    /// The output of a request when there is no other one.
    public static func alone(_ prompt: [Int32], tokenCount: Int, slidingWindow: Int?) -> [Int32] {
        alone(prompt, tokenCount: tokenCount, groups: [CacheGroup(blockSize: 1, slidingWindow: slidingWindow)])
    }

    /// The output of a request when there is no other one, with these windows and this adapter.
    public static func alone(
        _ prompt: [Int32], tokenCount: Int, groups: [CacheGroup] = [CacheGroup(blockSize: 1)],
        adapter: AdapterID? = nil
    ) -> [Int32] {
        var tokens = prompt
        for _ in 0..<tokenCount {
            tokens.append(
                ScriptedExecutor.next(
                    after: tokens, groups: groups, adapter: adapter, vocabularySize: vocabularySize))
        }
        return Array(tokens.dropFirst(prompt.count))
    }
}
