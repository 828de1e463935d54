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
    /// The ticket of the request that waits in each slot, 0 where none does; and the number of its queue.
    private var tickets: [UInt64] = []
    private var queueNumbers: [Int] = []
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
            tickets += Array(repeating: 0, count: slot + 1 - tickets.count)
            queueNumbers += Array(repeating: 0, count: slot + 1 - queueNumbers.count)
        }
        lastTicket += 1
        tickets[slot] = lastTicket
        queueNumbers[slot] = position.queue
        order.append((slot, lastTicket))
        count += 1
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
        guard let index = indices[queueNumbers[slot]] else { return }
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
            queues[index].entries = BinaryHeap(queues[index].entries.elements.filter { tickets[$0.slot] == $0.ticket })
        }
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
            if tickets[entry.slot] == entry.ticket { taken.append(entry) }
        }
        for entry in taken { queues[index].entries.insert(entry) }
        return taken.map {
            AdmissionCandidate(
                request: view($0.slot), position: QueuePosition(queue: queues[index].number, rank: $0.rank))
        }
    }
}
