import Requests

/// Running requests in the order in which they give way: ranked once a step, when the first one has to.
struct VictimQueue: Sendable {
    typealias Slot = RequestTable.Slot

    private struct Entry: Comparable {
        let rank: Double
        let arrival: EngineInstant
        let id: RequestID
        let slot: Slot

        /// The first to give way is the least: the highest rank, then the latest arrival.
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
