import KVCaching
import Requests

/// The next tokens of one request, as many as a step's budget allows.
struct Chunk: Sendable {
    let tokenCount: Int
    let scoredPositions: Range<Int>
    let samplesNext: Bool
    /// Whether it is part of a prompt, or of tokens that a preemption dropped, and not just the newest token.
    let isPrompt: Bool
}

/// The tokens and rows of a step that are not spent yet.
struct StepBudget {
    var tokenCount: Int
    /// The part of `tokenCount` that prompts may take.
    var promptTokenCount: Int
    /// Rows of logits for prompt positions.
    var scoredCount: Int
    /// Running requests that are scored and whose chunk of this step is not planned yet.
    var scorerCount = 0

    /// Rows that one request may take: the running requests share all rows but one. That one is left for a request that
    /// is admitted next, because a request at the front of its queue that finds no row would hold up all behind it.
    var scoredShare: Int { scoredCount == 0 ? 0 : max(1, (scoredCount - 1) / max(1, scorerCount)) }

    init(_ limits: SchedulerLimits, promptTokenCount: Int) {
        tokenCount = limits.maxBatchedTokenCount
        self.promptTokenCount = promptTokenCount
        scoredCount = limits.maxScoredCount
    }

    /// What can be done for `request` once its first `computedCount` tokens are in the cache; nil when the budget allows
    /// nothing.
    func chunk(of request: Request, after computedCount: Int) -> Chunk? {
        let remaining = request.tokens.count - computedCount
        let isPrompt = remaining > 1
        var count = min(remaining, tokenCount)
        if isPrompt { count = min(count, promptTokenCount) }
        var scored = 0..<0
        if request.attributes.sampling.promptLogprobs != nil {
            let lower = max(computedCount, request.scoredCount)
            let upper = min(computedCount + count, request.promptCount - 1)
            if lower < upper {
                scored = lower..<min(upper, lower + scoredShare)
                // Positions that could not be scored now must not be computed now.
                if scored.upperBound < upper { count = scored.upperBound - computedCount }
            }
        }
        guard count > 0 else { return nil }
        return Chunk(
            tokenCount: count, scoredPositions: scored,
            samplesNext: count == remaining && request.attributes.sampling.maxTokens > 0, isPrompt: isPrompt)
    }

    mutating func spend(_ chunk: Chunk) {
        tokenCount -= chunk.tokenCount
        if chunk.isPrompt { promptTokenCount -= chunk.tokenCount }
        scoredCount -= chunk.scoredPositions.count
    }

    mutating func refund(_ chunk: Chunk) {
        tokenCount += chunk.tokenCount
        if chunk.isPrompt { promptTokenCount += chunk.tokenCount }
        scoredCount += chunk.scoredPositions.count
    }
}

/// A step while it is being put together: entries may be withdrawn before it is handed out.
struct StepPlan {
    typealias Slot = RequestTable.Slot

    struct Entry {
        let slot: Slot
        let chunk: Chunk
        /// Whether its request was preempted after it had been planned.
        var isWithdrawn = false
    }

    let now: EngineInstant
    var budget: StepBudget
    private(set) var entries: [Entry] = []
    /// Requests preempted in this step; they wait again once the step is handed out.
    var preempted: [Slot] = []
    /// Made when the first victim is needed.
    var victims: VictimQueue?
    private let reservedTokenCount: Int

    init(_ limits: SchedulerLimits, share: BudgetShare, at now: EngineInstant) {
        self.now = now
        let share = share.clamped(to: limits.maxBatchedTokenCount)
        budget = StepBudget(limits, promptTokenCount: share.promptTokenCount)
        reservedTokenCount = share.reservedTokenCount
        budget.tokenCount -= reservedTokenCount
    }

    /// Adds the tokens that running requests had to leave for new ones.
    mutating func beginAdmitting() {
        budget.tokenCount += reservedTokenCount
    }

    /// Plans `chunk` and returns the entry's index.
    mutating func append(_ slot: Slot, _ chunk: Chunk) -> Int {
        budget.spend(chunk)
        entries.append(Entry(slot: slot, chunk: chunk))
        return entries.count - 1
    }

    /// Whether nothing is planned, or everything was withdrawn.
    var isEmpty: Bool { entries.allSatisfy(\.isWithdrawn) }

    mutating func withdraw(_ index: Int) {
        entries[index].isWithdrawn = true
        budget.refund(entries[index].chunk)
    }
}

extension ScheduledRequest {
    /// The executor's part of `chunk`, which begins after what is computed.
    init(_ request: Request, _ chunk: Chunk, adapterSlot: Int?) {
        let range = request.computedCount..<request.computedCount + chunk.tokenCount
        // A copy: a slice would share the tokens, and appending the next one would then copy all of them.
        let part = ArraySlice(Array(request.tokens[range]))
        self.init(
            id: request.id, tokens: part, firstPosition: range.lowerBound, blocks: request.blocks.blocks,
            samplesNext: chunk.samplesNext, outputCount: request.outputCount, scoredPositions: chunk.scoredPositions,
            adapterSlot: adapterSlot)
    }
}

/// Running requests in the order in which they are preempted: ranked once a step, when the first victim is needed.
struct VictimQueue: Sendable {
    typealias Slot = RequestTable.Slot

    private struct Entry: Comparable {
        let rank: Double
        let arrival: EngineInstant
        let id: RequestID
        let slot: Slot

        /// The first victim is the least: the highest rank, then the latest arrival.
        static func < (left: Entry, right: Entry) -> Bool {
            if left.rank != right.rank { return left.rank > right.rank }
            return (left.arrival, left.id) > (right.arrival, right.id)
        }
    }

    private var entries = BinaryHeap<Entry>()

    init(
        _ slots: [Slot], in table: RequestTable, policy: inout GuardedPolicy, limits: SchedulerLimits,
        at now: EngineInstant
    ) {
        let slots = slots.filter { table.isRunning($0) && table[$0].canBeVictim(limits) }
        guard !slots.isEmpty else { return }
        let views = slots.map { table[$0].view }
        let ranks = policy.victimRanks(of: views, at: now)
        entries = BinaryHeap(
            slots.indices.map {
                Entry(rank: ranks[$0], arrival: views[$0].arrival, id: views[$0].id, slot: slots[$0])
            })
    }

    /// The first that still runs.
    mutating func first(in table: RequestTable) -> Slot? {
        while let entry = entries.first {
            if table.holds(entry.id, at: entry.slot), table.isRunning(entry.slot) { return entry.slot }
            _ = entries.popFirst()
        }
        return nil
    }
}
