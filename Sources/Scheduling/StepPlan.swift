import Requests

/// A step while it is being put together: entries may be taken back before it is handed out.
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
    /// Requests preempted in this step; they wait again from its end on.
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

    /// Opens what running requests had to leave.
    mutating func beginAdmitting() {
        budget.tokenCount += reservedTokenCount
    }

    /// Plans `chunk` and returns the entry's place.
    mutating func append(_ slot: Slot, _ chunk: Chunk) -> Int {
        budget.spend(chunk)
        entries.append(Entry(slot: slot, chunk: chunk))
        return entries.count - 1
    }

    /// Whether nothing is planned, or all of it was taken back.
    var isEmpty: Bool { entries.allSatisfy(\.isWithdrawn) }

    mutating func withdraw(_ index: Int) {
        entries[index].isWithdrawn = true
        budget.refund(entries[index].chunk)
    }
}
