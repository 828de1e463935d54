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
        _ slots: [Slot], in table: RequestTable, policy: inout any SchedulerPolicy, limits: SchedulerLimits,
        at now: EngineInstant
    ) {
        var ranked: [Entry] = []
        for slot in slots where table.isRunning(slot) && table[slot].canBeVictim(limits) {
            let view = table[slot].view
            let rank = policy.victimRank(of: view, at: now)
            ranked.append(
                Entry(rank: rank.isNaN ? -.infinity : rank, arrival: view.arrival, id: view.id, slot: slot))
        }
        entries = BinaryHeap(ranked)
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
