import Requests

/// The waiting requests in the queues and ranks that a policy gave them, and in the order in which they came.
///
/// A request that leaves from the middle of a queue leaves a stale entry behind, which is skipped later; a queue is swept
/// when most of its entries are stale. So each operation takes logarithmic time, however many wait.
struct WaitingQueue: Sendable {
    typealias Slot = RequestTable.Slot

    private struct Entry: Comparable {
        let rank: Double
        let arrival: EngineInstant
        let id: RequestID
        let slot: Slot
        /// Differs from the slot's ticket once the request has left.
        let ticket: UInt64

        static func < (left: Entry, right: Entry) -> Bool {
            if left.rank != right.rank { return left.rank < right.rank }
            return (left.arrival, left.id) < (right.arrival, right.id)
        }
    }

    private struct Queue {
        let number: Int
        var entries = BinaryHeap<Entry>()
        var count = 0
        /// Whether its candidate among `heads` has left, and the next one is to be found.
        var hasStaleHead = false
    }

    private var queues: [Queue] = []
    /// What a policy sees of the first of each queue, in the order of `queues`. Kept between steps, because there may be
    /// a queue for each of many tenants.
    private var heads: [AdmissionCandidate] = []
    private var staleQueueNumbers: [Int] = []
    /// The index in `queues` of each queue's number.
    private var indices: [Int: Int] = [:]
    /// The ticket of the request that waits in each slot, 0 where none does.
    private var tickets: [UInt64] = []
    /// The ticket of its entry in a queue, 0 while it is parked; and its position.
    private var entryTickets: [UInt64] = []
    private var positions: [QueuePosition] = []
    /// Requests that are in no queue for now, in the order of parking.
    private var parked: [Slot] = []
    private var lastTicket: UInt64 = 0
    /// All requests in the order of coming, those that have left included, from `oldest` on.
    private var order: [(slot: Slot, ticket: UInt64)] = []
    private var oldest = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    /// The slots of all waiting requests, in the order of coming.
    var slots: [Slot] { order[oldest...].filter { tickets[$0.slot] == $0.ticket }.map(\.slot) }

    func contains(_ slot: Slot) -> Bool { slot < tickets.count && tickets[slot] != 0 }

    mutating func insert(_ slot: Slot, _ request: RequestView, at position: QueuePosition) {
        precondition(!contains(slot), "\(request.id) waits already")
        if slot >= tickets.count {
            let newCount = slot + 1 - tickets.count
            tickets += Array(repeating: 0, count: newCount)
            entryTickets += Array(repeating: 0, count: newCount)
            positions += Array(repeating: QueuePosition(queue: 0, rank: 0), count: newCount)
        }
        tickets[slot] = lastTicket + 1
        order.append((slot, lastTicket + 1))
        count += 1
        enqueue(slot, request, at: position)
    }

    private mutating func enqueue(_ slot: Slot, _ request: RequestView, at position: QueuePosition) {
        lastTicket += 1
        entryTickets[slot] = lastTicket
        positions[slot] = position
        let rank = position.rank.isNaN ? .infinity : position.rank
        let candidate = AdmissionCandidate(
            request: request, position: QueuePosition(queue: position.queue, rank: rank))
        let index = indices[position.queue] ?? queues.count
        if index == queues.count {
            queues.append(Queue(number: position.queue))
            heads.append(candidate)
            indices[position.queue] = index
        } else if candidate.precedes(heads[index]) {
            heads[index] = candidate
            queues[index].hasStaleHead = false
        }
        queues[index].entries.insert(
            Entry(rank: rank, arrival: request.arrival, id: request.id, slot: slot, ticket: lastTicket))
        queues[index].count += 1
    }

    /// Takes request `id` out, which is in `slot`; nothing happens if it does not wait.
    mutating func remove(_ slot: Slot, _ id: RequestID) {
        guard contains(slot) else { return }
        tickets[slot] = 0
        count -= 1
        removeLeading()
        if entryTickets[slot] == 0 { parked.removeAll { $0 == slot } } else { dequeue(slot, id) }
    }

    private mutating func dequeue(_ slot: Slot, _ id: RequestID) {
        entryTickets[slot] = 0
        guard let index = indices[positions[slot].queue] else { return }
        queues[index].count -= 1
        if queues[index].count == 0 {
            removeQueue(index)
            return
        }
        if heads[index].request.id == id, !queues[index].hasStaleHead {
            queues[index].hasStaleHead = true
            staleQueueNumbers.append(queues[index].number)
        }
        if queues[index].entries.count > 2 * queues[index].count + 32 {
            queues[index].entries = BinaryHeap(
                queues[index].entries.elements.filter { entryTickets[$0.slot] == $0.ticket })
        }
    }

    /// Whether a policy has anything to choose from.
    var hasCandidates: Bool { !queues.isEmpty }

    func isParked(_ slot: Slot) -> Bool { contains(slot) && entryTickets[slot] == 0 }

    /// Takes a waiting request out of its queue until `unpark`: it cannot be admitted for now. It keeps its place in the
    /// order of coming.
    mutating func park(_ slot: Slot, _ id: RequestID) {
        precondition(contains(slot) && entryTickets[slot] != 0, "\(id) is in no queue")
        dequeue(slot, id)
        parked.append(slot)
    }

    /// Puts the parked requests that fulfil `condition` back into their queues, at their old positions.
    mutating func unpark(where condition: (Slot) -> Bool, view: (Slot) -> RequestView) {
        guard !parked.isEmpty else { return }
        var left: [Slot] = []
        for slot in parked {
            if condition(slot) { enqueue(slot, view(slot), at: positions[slot]) } else { left.append(slot) }
        }
        parked = left
    }

    /// The first request in the order of coming that fulfils `condition`.
    func first(where condition: (Slot) -> Bool) -> Slot? {
        order[oldest...].first { tickets[$0.slot] == $0.ticket && condition($0.slot) }?.slot
    }

    private mutating func removeQueue(_ index: Int) {
        indices[queues[index].number] = nil
        queues.swapAt(index, queues.count - 1)
        heads.swapAt(index, heads.count - 1)
        queues.removeLast()
        heads.removeLast()
        if index < queues.count { indices[queues[index].number] = index }
    }

    /// The slot that has waited longest.
    var longestWaiting: Slot? { oldest < order.count ? order[oldest].slot : nil }

    private mutating func removeLeading() {
        while oldest < order.count, tickets[order[oldest].slot] != order[oldest].ticket { oldest += 1 }
        // Stale entries, and the part before `oldest`, are swept once they are the majority.
        guard order.count > 2 * count + 32 else { return }
        order = order[oldest...].filter { tickets[$0.slot] == $0.ticket }
        oldest = 0
    }

    /// The first `lookahead` requests of each queue; the order of the queues is repeatable and means nothing.
    mutating func candidates(
        lookahead: Int, view: (Slot) -> RequestView
    ) -> [AdmissionCandidate] {
        guard lookahead <= 1 else { return queues.indices.flatMap { leading(lookahead, of: $0, view) } }
        for number in staleQueueNumbers {
            // The queue may be empty by now, or have a new head.
            guard let index = indices[number], queues[index].hasStaleHead else { continue }
            heads[index] = leading(1, of: index, view)[0]
            queues[index].hasStaleHead = false
        }
        staleQueueNumbers.removeAll(keepingCapacity: true)
        return heads
    }

    private mutating func leading(
        _ limit: Int, of index: Int, _ view: (Slot) -> RequestView
    ) -> [AdmissionCandidate] {
        var taken: [Entry] = []
        while taken.count < min(limit, queues[index].count), let entry = queues[index].entries.popFirst() {
            if entryTickets[entry.slot] == entry.ticket { taken.append(entry) }
        }
        for entry in taken { queues[index].entries.insert(entry) }
        return taken.map {
            AdmissionCandidate(
                request: view($0.slot), position: QueuePosition(queue: queues[index].number, rank: $0.rank))
        }
    }
}
