import Requests

/// The requests in flight, each in a slot that it keeps until it leaves: found by name or slot at once, never moved.
struct RequestTable: Sendable {
    typealias Slot = Int

    /// A vacant slot holds this one; not an optional, which would be copied wherever it is looked into.
    private static let nobody = LiveRequest(
        Request(
            id: RequestID(.max), prompt: [0], sampling: SamplingParameters(), arrival: EngineInstant(nanoseconds: 0)))

    private var requests: [LiveRequest] = []
    private var vacant: [Slot] = []
    private var slots: [RequestID: Slot] = [:]

    var count: Int { slots.count }

    func slot(of id: RequestID) -> Slot? { slots[id] }

    /// Whether `slot` holds the request of that name.
    func holds(_ id: RequestID, at slot: Slot) -> Bool { requests[slot].request.id == id }

    /// The request in `slot`, in place. Precondition: there is one.
    subscript(slot: Slot) -> LiveRequest {
        _read { yield requests[slot] }
        _modify { yield &requests[slot] }
    }

    func isRunning(_ slot: Slot) -> Bool { requests[slot].request.status == .running }

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
        slots[requests[slot].request.id] = nil
        requests[slot] = Self.nobody
        vacant.append(slot)
    }
}
