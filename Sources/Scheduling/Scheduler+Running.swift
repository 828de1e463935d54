import KVCaching
import Requests

extension Scheduler {
    /// Plans the next tokens of each running request, in order; where blocks are missing, somebody gives way.
    mutating func continueRunning(_ plan: inout StepPlan) {
        if scoredRequestCount > 0 {
            plan.budget.scorerCount = running.count { table.isRunning($0) && table[$0].request.isScoring }
        }
        for slot in running {
            guard table.isRunning(slot) else { continue }
            let isScoring = plan.budget.scorerCount > 0 && table[slot].request.isScoring
            defer { plan.budget.scorerCount -= isScoring ? 1 : 0 }
            let computedCount = table[slot].request.computedCount
            guard let chunk = table[slot].request.chunk(after: computedCount, within: plan.budget) else { continue }
            var hasRoom = true
            while hasRoom, !cache.extend(&table[slot].request.blocks, toTokens: computedCount + chunk.tokenCount) {
                let victim = chooseVictim(&plan)
                preempt(victim, &plan)
                hasRoom = victim != slot
            }
            if hasRoom { table[slot].entry = plan.append(slot, chunk) }
        }
    }

    /// The running request that gives way: the policy's choice among those that it may still choose from, else the
    /// one admitted last.
    private mutating func chooseVictim(_ plan: inout StepPlan) -> Slot {
        if let victim = firstVictim(&plan) { return victim }
        guard let last = running.last(where: { table.isRunning($0) }) else {
            preconditionFailure("the requester itself runs")
        }
        return last
    }

    /// The policy's first choice of a victim, if it has one left.
    mutating func firstVictim(_ plan: inout StepPlan) -> Slot? {
        if plan.victims == nil {
            // Whoever was admitted in this very step has done nothing yet that could be an argument.
            let candidates = running.filter { table[$0].admissionStep != stepNumber }
            plan.victims = VictimQueue(candidates, in: table, policy: &policy, limits: limits, at: plan.now)
        }
        return plan.victims?.first(in: table)
    }
}
