import Requests

/// Prompts to be scored: a step has rows of logits for few positions, so as many of them may run as leave each a position.
///
/// The others are held outside of the policy's lines: in a line, one that finds no row would keep everybody behind it
/// waiting.
extension Scheduler {
    /// Whether `request` has to wait until others are scored.
    func hasToWaitForScores(_ request: Request) -> Bool {
        request.isScoring && (!heldScorers.isEmpty || unscoredCount >= limits.maxScoredCount)
    }

    /// Positions that are left to score of all that are not held.
    private var unscoredCount: Int {
        scorers.reduce(0) { sum, id in
            guard let slot = table.slot(of: id) else { return sum }
            return sum + table[slot].request.unscoredCount
        }
    }

    /// Lets those wait in the policy's lines for whom there is room now.
    mutating func releaseScorers() {
        guard !scorers.isEmpty || !heldScorers.isEmpty else { return }
        scorers.removeAll { [table] id in table.slot(of: id).map { !table[$0].request.isScoring } ?? true }
        while let id = heldScorers.first, unscoredCount < limits.maxScoredCount {
            heldScorers.removeFirst()
            guard let slot = table.slot(of: id) else { continue }
            scorers.append(id)
            release(slot)
        }
    }
}

extension Request {
    /// Prompt positions that remain to be scored.
    var unscoredCount: Int { sampling.promptLogprobs == nil ? 0 : max(0, promptCount - 1 - scoredCount) }

    /// Whether there are any.
    var isScoring: Bool { unscoredCount > 0 }
}
