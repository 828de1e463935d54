public import Requests

/// `prefix`: among the first few by arrival, the request with most of its prompt in the prefix cache; no request is passed
/// over more often than that few.
///
/// Source: longest prefix match, SGLang (Zheng et al., arXiv 2312.07104), which likewise gives up beyond a bounded
/// queue.
public struct LongestPrefixFirst: SchedulerPolicy {
    private let window: Int
    /// The front of the queue, and how often others were admitted before it.
    private var first: (id: RequestID, passedCount: Int)?

    /// Chooses among the first `window` by arrival.
    public init(window: Int) {
        precondition(window > 0, "a window of \(window)")
        self.window = window
    }

    public var lookahead: Int { window }

    public var wantsCachedCounts: Bool { true }

    /// Admits the longest cached prefix; of equal ones, the earlier arrival.
    public mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) -> AdmissionDecision {
        let front = candidates[0].request.id
        if first?.id != front { first = (front, 0) }
        guard let passedCount = first?.passedCount, passedCount < window else { return .admit(front) }
        var best = candidates[0].request
        for candidate in candidates.dropFirst() where candidate.request.cachedCount > best.cachedCount {
            best = candidate.request
        }
        return .admit(best.id)
    }

    /// Counts how often the front was passed over.
    public mutating func admitted(_ request: RequestView, at now: EngineInstant) {
        if let current = first, request.id != current.id { first = (current.id, current.passedCount + 1) }
    }
}
