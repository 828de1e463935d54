import Requests

/// The waiting requests in the lines and ranks that a policy gave them, and in the order in which they came.
///
/// Whatever leaves from the middle leaves its entry behind, which is skipped later; lines are swept when most of
/// their entries are such. So each operation takes logarithmic time, however many wait.
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

    private struct Line {
        let number: Int
        var entries = BinaryHeap<Entry>()
        var count = 0
        /// Whether its candidate among `heads` has left, and the next one is to be found.
        var hasStaleHead = false
    }

    private var lines: [Line] = []
    /// What a policy sees of the first of each line, in the order of `lines`: kept, as there may be many tenants.
    private var heads: [AdmissionCandidate] = []
    private var staleLineNumbers: [Int] = []
    private var indices: [Int: Int] = [:]
    /// The ticket of the request that waits in each slot, 0 where none does; and the number of its line.
    private var tickets: [UInt64] = []
    private var lineNumbers: [Int] = []
    private var lastTicket: UInt64 = 0
    /// Everyone in the order of coming, those that have left included, from `oldest` on.
    private var order: [(slot: Slot, ticket: UInt64)] = []
    private var oldest = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    /// All that wait, in the order of coming.
    var slots: [Slot] { order[oldest...].filter { tickets[$0.slot] == $0.ticket }.map(\.slot) }

    func contains(_ slot: Slot) -> Bool { slot < tickets.count && tickets[slot] != 0 }

    mutating func insert(_ slot: Slot, _ request: RequestView, at place: WaitingPlace) {
        precondition(!contains(slot), "\(request.id) waits already")
        if slot >= tickets.count {
            tickets += Array(repeating: 0, count: slot + 1 - tickets.count)
            lineNumbers += Array(repeating: 0, count: slot + 1 - lineNumbers.count)
        }
        lastTicket += 1
        tickets[slot] = lastTicket
        lineNumbers[slot] = place.line
        order.append((slot, lastTicket))
        count += 1
        let rank = place.rank.isNaN ? .infinity : place.rank
        let candidate = AdmissionCandidate(request: request, place: WaitingPlace(line: place.line, rank: rank))
        let index = indices[place.line] ?? lines.count
        if index == lines.count {
            lines.append(Line(number: place.line))
            heads.append(candidate)
            indices[place.line] = index
        } else if candidate.precedes(heads[index]) {
            heads[index] = candidate
            lines[index].hasStaleHead = false
        }
        lines[index].entries.insert(
            Entry(rank: rank, arrival: request.arrival, id: request.id, slot: slot, ticket: lastTicket))
        lines[index].count += 1
    }

    /// Takes the request in `slot`, named `id`, out; nothing happens if it does not wait.
    mutating func remove(_ slot: Slot, _ id: RequestID) {
        guard contains(slot) else { return }
        tickets[slot] = 0
        count -= 1
        removeLeading()
        guard let index = indices[lineNumbers[slot]] else { return }
        lines[index].count -= 1
        if lines[index].count == 0 {
            removeLine(index)
            return
        }
        if heads[index].request.id == id, !lines[index].hasStaleHead {
            lines[index].hasStaleHead = true
            staleLineNumbers.append(lines[index].number)
        }
        if lines[index].entries.count > 2 * lines[index].count + 32 {
            lines[index].entries = BinaryHeap(lines[index].entries.elements.filter { tickets[$0.slot] == $0.ticket })
        }
    }

    private mutating func removeLine(_ index: Int) {
        indices[lines[index].number] = nil
        lines.swapAt(index, lines.count - 1)
        heads.swapAt(index, heads.count - 1)
        lines.removeLast()
        heads.removeLast()
        if index < lines.count { indices[lines[index].number] = index }
    }

    /// The slot that has waited longest.
    var longestWaiting: Slot? { oldest < order.count ? order[oldest].slot : nil }

    private mutating func removeLeading() {
        while oldest < order.count, tickets[order[oldest].slot] != order[oldest].ticket { oldest += 1 }
        // Those that left from the middle, and the part before `oldest`, are swept once they are the most.
        guard order.count > 2 * count + 32 else { return }
        order = order[oldest...].filter { tickets[$0.slot] == $0.ticket }
        oldest = 0
    }

    /// The first `lookahead` requests of each line, lines in no particular but a repeatable order.
    mutating func candidates(
        lookahead: Int, view: (Slot) -> RequestView
    ) -> [AdmissionCandidate] {
        guard lookahead <= 1 else { return lines.indices.flatMap { leading(lookahead, of: $0, view) } }
        for number in staleLineNumbers {
            // The line may have gone since, or got a new head.
            guard let index = indices[number], lines[index].hasStaleHead else { continue }
            heads[index] = leading(1, of: index, view)[0]
            lines[index].hasStaleHead = false
        }
        staleLineNumbers.removeAll(keepingCapacity: true)
        return heads
    }

    private mutating func leading(
        _ limit: Int, of index: Int, _ view: (Slot) -> RequestView
    ) -> [AdmissionCandidate] {
        var taken: [Entry] = []
        while taken.count < min(limit, lines[index].count), let entry = lines[index].entries.popFirst() {
            if tickets[entry.slot] == entry.ticket { taken.append(entry) }
        }
        for entry in taken { lines[index].entries.insert(entry) }
        return taken.map {
            AdmissionCandidate(
                request: view($0.slot), place: WaitingPlace(line: lines[index].number, rank: $0.rank))
        }
    }
}
