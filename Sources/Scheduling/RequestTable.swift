import Requests

/// The requests in flight, each in a slot that it keeps until it leaves: found by name or slot at once, never moved.
struct RequestTable: Sendable {
    typealias Slot = Int

    private var requests: [LiveRequest?] = []
    private var vacant: [Slot] = []
    private var slots: [RequestID: Slot] = [:]

    var count: Int { slots.count }
    /// Slots are below this.
    var slotCount: Int { requests.count }

    func slot(of id: RequestID) -> Slot? { slots[id] }

    /// Whether `slot` holds the request of that name.
    func holds(_ id: RequestID, at slot: Slot) -> Bool { slot < requests.count && requests[slot]?.request.id == id }

    /// The request in `slot`, in place. Precondition: there is one.
    subscript(slot: Slot) -> LiveRequest {
        _read { yield requests[slot]! }
        _modify { yield &requests[slot]! }
    }

    func isRunning(_ slot: Slot) -> Bool { requests[slot]?.request.status == .running }

    mutating func insert(_ request: Request) -> Slot {
        precondition(slots[request.id] == nil, "\(request.id) is there already")
        let slot = vacant.popLast() ?? requests.count
        slots[request.id] = slot
        if slot == requests.count {
            requests.append(LiveRequest(request))
        } else {
            requests[slot] = LiveRequest(request)
        }
        return slot
    }

    mutating func remove(_ slot: Slot) {
        guard let live = requests[slot] else { return }
        slots[live.request.id] = nil
        requests[slot] = nil
        vacant.append(slot)
    }
}
