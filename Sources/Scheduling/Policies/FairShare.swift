public import Requests

/// `fair`: the tenant that has been served least so far is next; weights give a tenant a larger share.
///
/// Source: the virtual token counter of Sheng et al., "Fairness in Serving Large Language Models" (OSDI'24, arXiv
/// 2401.00588). Service is counted in weighted tokens of prompt and output. The counter of a tenant that comes back is
/// raised to the least counter of the waiting tenants, so that no tenant saves up service. Two tenants that both wait all
/// the time are never further apart than twice the larger of one prompt and one full batch (theorem 4.4 there).
public struct FairShare: SchedulerPolicy {
    private struct Tenant: Sendable {
        var name: String
        var weight: Double
        var served = 0.0
        /// Its requests in the engine, and how many of them wait.
        var requestCount = 0
        var waitingCount = 0
    }

    private let weights: [String: Double]
    private let promptCost: Double
    private let outputCost: Double
    private var tenants: [Tenant] = []
    private var indices: [String: Int] = [:]
    private var waiting: Set<RequestID> = []
    /// The counter of the tenant that was the last to stop waiting.
    private var lastServed = 0.0

    /// Tenants without an entry in `weights` have weight 1. `promptCost` and `outputCost` are those of one token.
    public init(weights: [String: Double] = [:], promptCost: Double = 1, outputCost: Double = 2) {
        precondition(weights.values.allSatisfy { $0 > 0 }, "weights must be positive")
        self.weights = weights
        self.promptCost = promptCost
        self.outputCost = outputCost
    }

    public mutating func arrived(_ request: RequestView, at now: EngineInstant) {
        tenants[index(of: request.tenant)].requestCount += 1
    }

    /// A queue for each tenant, ranked by arrival.
    public mutating func queuePosition(of request: RequestView, at now: EngineInstant) -> QueuePosition {
        let tenant = index(of: request.tenant)
        // A preempted request does not make its tenant new.
        if tenants[tenant].waitingCount == 0, request.preemptionCount == 0 { lift(tenant) }
        if waiting.insert(request.id).inserted { tenants[tenant].waitingCount += 1 }
        return QueuePosition(queue: tenant, rank: Double(request.arrival.nanoseconds))
    }

    /// Admits from the tenant with the least counter.
    public mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) -> AdmissionDecision {
        var first = 0
        var least = tenants[candidates[0].position.queue].served
        for index in candidates.indices.dropFirst() {
            let served = tenants[candidates[index].position.queue].served
            if served < least || (served == least && candidates[index].precedes(candidates[first])) {
                (first, least) = (index, served)
            }
        }
        return .admit(candidates[first].request.id)
    }

    /// Charges the tenant for the prompt at the first admission, as in the paper.
    public mutating func admitted(_ request: RequestView, at now: EngineInstant) {
        let tenant = index(of: request.tenant)
        if request.preemptionCount == 0 { charge(tenant, promptCost * Double(request.promptCount)) }
        stopWaiting(request.id, tenant)
    }

    /// Charges the tenant for output as it is produced.
    public mutating func progressed(_ request: RequestView, by progress: StepProgress, at now: EngineInstant) {
        guard progress.producedCount > 0 else { return }
        charge(index(of: request.tenant), outputCost * Double(progress.producedCount))
    }

    /// The tenant served most is preempted first.
    public mutating func victimRank(of running: RequestView, at now: EngineInstant) -> Double {
        tenants[index(of: running.tenant)].served
    }

    public mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) {
        let tenant = index(of: request.tenant)
        stopWaiting(request.id, tenant)
        tenants[tenant].requestCount -= 1
    }

    private mutating func charge(_ tenant: Int, _ cost: Double) {
        tenants[tenant].served += cost / tenants[tenant].weight
    }

    private mutating func stopWaiting(_ id: RequestID, _ tenant: Int) {
        guard waiting.remove(id) != nil else { return }
        tenants[tenant].waitingCount -= 1
        if waiting.isEmpty { lastServed = tenants[tenant].served }
    }

    /// Raises the counter of a tenant that begins to wait to the least of those that do (algorithm 2 there).
    private mutating func lift(_ tenant: Int) {
        var least: Double?
        for other in tenants where other.waitingCount > 0 { least = min(least ?? other.served, other.served) }
        tenants[tenant].served = max(tenants[tenant].served, least ?? lastServed)
    }

    private mutating func index(of name: String) -> Int {
        if let index = indices[name] { return index }
        let fresh = Tenant(name: name, weight: weights[name] ?? 1)
        // Clients choose the names of tenants: one without requests whose counter would be raised anyway is dropped.
        let floor = tenants.count < 1024 ? nil : tenants.lazy.filter { $0.waitingCount > 0 }.map(\.served).min()
        let idle = floor.flatMap { floor in tenants.firstIndex { $0.requestCount == 0 && $0.served <= floor } }
        let index = idle ?? tenants.count
        if index == tenants.count {
            tenants.append(fresh)
        } else {
            indices[tenants[index].name] = nil
            tenants[index] = fresh
        }
        indices[name] = index
        return index
    }
}
