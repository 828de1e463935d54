import KVCaching
import Requests

/// A request with the scheduler's own notes about it.
struct LiveRequest: Sendable {
    var request: Request
    /// The greatest `computedCount` that it ever had: computing one of those tokens again is waste.
    var maximumComputedCount = 0
    /// How many admissions there had been when it began to wait.
    var waitingSince = 0
    /// The step in which it was last admitted.
    var admissionStep = 0
    /// The index of its entry in the step's plan; nil where it has none.
    var entry: Int?
    /// Requests that wait for its prompt; some of them may have ended.
    var followers: [RequestID] = []
    /// Whether it waits for its leader's prompt, outside of the policy's queues.
    var isHeld = false
    /// Whether it waited so long that no policy may preempt it any more.
    var isProtected = false

    init(_ request: Request) {
        self.request = request
    }

    /// What a policy may know.
    var view: RequestView { view(cachedCount: request.cachedCount) }

    func view(cachedCount: Int) -> RequestView {
        RequestView(
            id: request.id, arrival: request.arrival, priority: request.attributes.priority,
            tenant: request.attributes.tenant, deadline: request.deadline, promptCount: request.promptCount,
            outputCount: request.outputCount,
            outputLimit: request.attributes.sampling.maxTokens - request.outputCount,
            computedCount: request.computedCount, cachedCount: cachedCount, preemptionCount: request.preemptionCount,
            blockCount: request.blocks.heldCount)
    }

    /// Whether a policy may choose it as a victim.
    func canBeVictim(_ limits: SchedulerLimits) -> Bool {
        !isProtected && request.preemptionCount < limits.maxPreemptionCount
    }
}

/// The requests in flight. Each keeps its slot until it leaves, so a request is found by id or slot in constant time and
/// never moves.
struct RequestTable: Sendable {
    typealias Slot = Int

    /// The content of a vacant slot; not an optional, which would be copied at each access.
    private static let vacantContent = LiveRequest(
        Request(id: RequestID(.max), prompt: [0], arrival: EngineInstant(nanoseconds: 0)))

    private var requests: [LiveRequest] = []
    private var vacant: [Slot] = []
    private var slots: [RequestID: Slot] = [:]

    var count: Int { slots.count }

    /// The slots of all requests, in no order.
    var slotsInUse: [Slot] { Array(slots.values) }

    func slot(of id: RequestID) -> Slot? { slots[id] }

    /// Whether `slot` holds the request with this id.
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
        requests[slot] = Self.vacantContent
        vacant.append(slot)
    }
}
