public import Requests

/// `mlfq`: several levels, each with twice the quantum of the one above. A request that has used up its quantum sinks by a
/// level, and one with a long prompt starts lower. Higher levels run first and preempt; a long wait raises to the top.
///
/// Source: skip-join multi-level feedback queue, FastServe (Wu et al., arXiv 2305.05920). Preempted blocks stay
/// findable in the prefix cache, which replaces its proactive swapping.
public struct MultiLevelFeedback: SchedulerPolicy {
    /// Service is counted in output tokens; this many prompt tokens take as long as one of output.
    private static let promptTokensPerUnit = 32.0

    private struct Standing: Sendable {
        var level: Int
        var used = 0.0
        var waitingSince: EngineInstant
    }

    private let levelCount: Int
    private let quantum: Double
    private let ageingSeconds: Double
    private var standings: [RequestID: Standing] = [:]

    /// `levelCount` levels, of which the first has a quantum of `quantumTokens` output tokens; a request that waits for
    /// `ageingSeconds` rises to it.
    public init(levelCount: Int, quantumTokens: Int, ageingSeconds: Double) {
        precondition(levelCount > 0 && quantumTokens > 0 && ageingSeconds > 0, "levels, quantum and ageing")
        self.levelCount = levelCount
        quantum = Double(quantumTokens)
        self.ageingSeconds = ageingSeconds
    }

    /// A queue for each level, ranked by arrival. A new request skips the levels whose quantum its prompt alone would use.
    public mutating func queuePosition(of request: RequestView, at now: EngineInstant) -> QueuePosition {
        var standing = standings[request.id] ?? Standing(level: 0, waitingSince: now)
        if request.preemptionCount == 0 {
            let prompt = Double(request.promptCount) / Self.promptTokensPerUnit
            while standing.level < levelCount - 1, quantum(of: standing.level) < prompt { standing.level += 1 }
        }
        standing.waitingSince = now
        standings[request.id] = standing
        return QueuePosition(queue: standing.level, rank: Double(request.arrival.nanoseconds))
    }

    /// Admits from the highest level, or a request of any level that has waited too long.
    public mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) -> AdmissionDecision {
        func key(_ candidate: AdmissionCandidate) -> (Int, UInt64, RequestID) {
            (level(candidate.request, at: now), candidate.request.arrival.nanoseconds, candidate.request.id)
        }
        var first = candidates[0]
        for candidate in candidates.dropFirst() where key(candidate) < key(first) { first = candidate }
        return .admit(first.request.id)
    }

    /// The lowest level is preempted first.
    public mutating func victimRank(of running: RequestView, at now: EngineInstant) -> Double {
        Double(standings[running.id]?.level ?? 0)
    }

    /// Only a lower level is preempted for a waiting request.
    public mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) -> Bool {
        level(waiting, at: now) < standings[victim.id]?.level ?? 0
    }

    /// A request that has used up its quantum sinks by a level.
    public mutating func progressed(_ request: RequestView, by progress: StepProgress, at now: EngineInstant) {
        guard var standing = standings[request.id] else { return }
        // Tokens that a preemption dropped are not charged twice.
        let computed = Double(progress.computedCount - progress.recomputedCount - progress.producedCount)
        standing.used += Double(progress.producedCount) + max(computed, 0) / Self.promptTokensPerUnit
        if standing.used >= quantum(of: standing.level), standing.level < levelCount - 1 {
            standing.level += 1
            standing.used = 0
        }
        standings[request.id] = standing
    }

    public mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) {
        standings[request.id] = nil
    }

    private func quantum(of level: Int) -> Double { quantum * Double(1 << level) }

    private func level(_ waiting: RequestView, at now: EngineInstant) -> Int {
        guard let standing = standings[waiting.id] else { return 0 }
        return now.seconds(since: standing.waitingSince) >= ageingSeconds ? 0 : standing.level
    }
}
