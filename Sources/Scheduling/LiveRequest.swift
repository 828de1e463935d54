import KVCaching
import Requests

/// A request with what only the scheduler needs to know of it.
struct LiveRequest: Sendable {
    var request: Request
    /// The most tokens that were ever computed: computing one of them again is waste.
    var mostComputedCount = 0
    /// How many admissions there had been when it began to wait.
    var waitingSince = 0
    /// The step in which it was last admitted.
    var admissionStep = 0
    /// Its place among the step's entries; nil where it has none.
    var entry: Int?
    /// Requests that wait for its prompt, by name: some may have ended.
    var followers: [RequestID] = []
    /// Whether it waits for others, outside of the policy's lines.
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
            id: request.id, arrival: request.arrival, priority: request.priority, tenant: request.tenant,
            deadline: request.deadline, promptCount: request.promptCount, outputCount: request.outputCount,
            outputLimit: request.sampling.maxTokens - request.outputCount, computedCount: request.computedCount,
            cachedCount: cachedCount, preemptionCount: request.preemptionCount,
            blockCount: request.blocks.heldCount)
    }

    /// Whether a policy may choose it as a victim.
    func canBeVictim(_ limits: SchedulerLimits) -> Bool {
        !isProtected && request.preemptionCount < limits.maxPreemptionCount
    }
}
