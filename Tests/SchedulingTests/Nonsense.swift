import Requests
import Scheduling
import SchedulingConformance
import SharedValues

/// A policy that answers nonsense: NaN as ranks, requests that do not exist, negative shares, preemptions without a
/// reason.
struct Nonsense: SchedulerPolicy {
    var random: SplitMix64

    init(seed: UInt64 = 1) {
        random = SplitMix64(seed: seed)
    }

    private mutating func number() -> Double {
        [.nan, .infinity, -.infinity, 0, -1, 5][random.next(below: 6)]
    }

    mutating func queuePosition(of request: RequestView, at now: EngineInstant) -> QueuePosition {
        QueuePosition(queue: [0, 3, .max, .min][random.next(below: 4)], rank: number())
    }

    var lookahead: Int { .max }
    var wantsCachedCounts: Bool { true }

    mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) -> AdmissionDecision {
        switch random.next(below: 5) {
        case 0: .later
        case 1: .admit(RequestID(.max))
        case 2: .reject(RequestID(.max), reason: "")
        default: .admit(candidates.randomElement(using: &random)?.request.id ?? RequestID(0))
        }
    }

    mutating func share(of load: EngineLoad, at now: EngineInstant) -> BudgetShare {
        let numbers = [Int.min, -1, 0, 1, 7, .max]
        return BudgetShare(
            promptTokenCount: numbers[random.next(below: 6)], reservedTokenCount: numbers[random.next(below: 6)])
    }

    mutating func victimRank(of running: RequestView, at now: EngineInstant) -> Double { number() }

    mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) -> Bool {
        random.next(below: 2) == 0
    }
}

/// Admits no request, and preempts all that run.
struct Obstruction: SchedulerPolicy {
    mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) -> AdmissionDecision { .later }

    mutating func share(of load: EngineLoad, at now: EngineInstant) -> BudgetShare {
        BudgetShare(promptTokenCount: 0, reservedTokenCount: .max)
    }

    /// The request nearest to its end.
    mutating func victimRank(of running: RequestView, at now: EngineInstant) -> Double {
        Double(running.outputCount)
    }

    mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) -> Bool { true }
}

/// Admits the newest request first and preempts others for it: the livelock that preemption counts prevent.
struct NewestFirst: SchedulerPolicy {
    mutating func queuePosition(of request: RequestView, at now: EngineInstant) -> QueuePosition {
        QueuePosition(rank: -Double(request.arrival.nanoseconds))
    }

    mutating func victimRank(of running: RequestView, at now: EngineInstant) -> Double {
        -Double(running.arrival.nanoseconds)
    }

    mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) -> Bool { true }
}

/// Refuses everything.
struct Refusal: SchedulerPolicy {
    mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) -> AdmissionDecision { .reject(candidates[0].request.id, reason: "no") }
}
