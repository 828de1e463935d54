import Requests

/// What the simulation, and not the scheduler, knows of the requests in flight.
struct SimulatedRequest: Sendable {
    let promptCount: Int
    let outputCount: Int
    let arrivalSeconds: Double
    let priority: Int
    let deadlineSeconds: Double?
    /// The tenant's number in the report, and the one under which its service is compared.
    let tenant: Int?
    let fairnessIndex: Int?
    var firstTokenSeconds: Double?
    var lastTokenSeconds = 0.0
    var isWaiting = true
    var wasAdmitted = false
}

/// Requests by number, which count up: those in flight lie in one stretch.
struct SimulatedRequests: Sendable {
    private var requests: [SimulatedRequest?] = []
    private var head = 0
    private var firstNumber: UInt64 = 0

    var nextID: RequestID { RequestID(firstNumber + UInt64(requests.count)) }

    mutating func append(_ request: SimulatedRequest) { requests.append(request) }

    subscript(id: RequestID) -> SimulatedRequest? {
        _read { yield requests[Int(id.rawValue - firstNumber)] }
        _modify { yield &requests[Int(id.rawValue - firstNumber)] }
    }

    /// Forgets a request, and the stretch before the first that is left.
    mutating func remove(_ id: RequestID) {
        requests[Int(id.rawValue - firstNumber)] = nil
        while head < requests.count, requests[head] == nil { head += 1 }
        guard head > 1024, head > requests.count / 2 else { return }
        requests.removeFirst(head)
        firstNumber += UInt64(head)
        head = 0
    }
}
