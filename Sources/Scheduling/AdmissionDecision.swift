public import Requests

/// Where a waiting request stands: in which line, and how far ahead in it.
public struct WaitingPlace: Sendable, Hashable {
    /// Lines are told apart by number; one without requests costs nothing.
    public let line: Int
    /// Lower is nearer to the front; of two equal ranks, the earlier arrival. Not a number counts as last.
    public let rank: Double

    /// The place in a line, the only one by default.
    public init(line: Int = 0, rank: Double) {
        self.line = line
        self.rank = rank
    }
}

/// A waiting request that a policy may choose, at or near the front of its line.
public struct AdmissionCandidate: Sendable, Hashable {
    /// What is known of it.
    public internal(set) var request: RequestView
    /// Where it stands.
    public let place: WaitingPlace

    /// The two as given.
    public init(request: RequestView, place: WaitingPlace) {
        self.request = request
        self.place = place
    }

    /// Whether this one comes first where only ranks count.
    public func precedes(_ other: AdmissionCandidate) -> Bool {
        (place.rank, request.arrival, request.id) < (other.place.rank, other.request.arrival, other.request.id)
    }
}

/// What becomes of the waiting requests next.
public enum AdmissionDecision: Sendable, Hashable {
    /// This one runs as soon as there is room; nobody overtakes it until then.
    case admit(RequestID)
    /// This one is refused; the sentence is for its client.
    case reject(RequestID, reason: String)
    /// Nobody is admitted in this step. Overruled where nothing runs.
    case later
}
