public import Requests

/// The queue in which a request waits, and its rank there.
public struct QueuePosition: Sendable, Hashable {
    /// Queues are told apart by number; an empty one costs nothing.
    public let queue: Int
    /// Lower is nearer to the front; of two equal ranks, the earlier arrival. NaN counts as last.
    public let rank: Double

    /// A position in `queue`; policies with a single queue leave it out.
    public init(queue: Int = 0, rank: Double) {
        self.queue = queue
        self.rank = rank
    }
}

/// A waiting request that a policy may choose, at or near the front of its queue.
public struct AdmissionCandidate: Sendable, Hashable {
    public internal(set) var request: RequestView
    public let position: QueuePosition

    public init(request: RequestView, position: QueuePosition) {
        self.request = request
        self.position = position
    }

    /// Whether this one comes first where only ranks count.
    public func precedes(_ other: AdmissionCandidate) -> Bool {
        (position.rank, request.arrival, request.id)
            < (other.position.rank, other.request.arrival, other.request.id)
    }
}

/// A policy's decision about the waiting requests.
public enum AdmissionDecision: Sendable, Hashable {
    /// This request runs as soon as there is room; no other one is admitted until then.
    case admit(RequestID)
    /// This request is refused; the sentence is for its client.
    case reject(RequestID, reason: String)
    /// No request is admitted in this step. Overruled where nothing runs.
    case later
}
