public import Requests

/// Chooses; the `Scheduler` keeps every invariant. One of the four plugin seams.
///
/// A policy sees immutable views and never a block, so it cannot corrupt memory: views it drops wait for a later
/// step, a victim it makes up is replaced.
public protocol SchedulerPolicy: Sendable {
    /// Puts the waiting requests into the order in which they are to be admitted. Nobody overtakes one that does not
    /// fit yet.
    mutating func order(_ waiting: inout [RequestView], at now: EngineInstant)

    /// The running request that gives its blocks back, where another needs them.
    mutating func victim(among running: [RequestView], at now: EngineInstant) -> RequestID?
}

/// What a policy may know of a request.
public struct RequestView: Sendable {
    /// Its name.
    public let id: RequestID
    /// When it was submitted.
    public let arrival: EngineInstant
    /// Lower is more urgent.
    public let priority: Int
    /// Tokens of its prompt.
    public let promptCount: Int
    /// Tokens produced so far.
    public let outputCount: Int
    /// Tokens whose keys and values are in the cache.
    public let computedCount: Int
    /// How often it was preempted.
    public let preemptionCount: Int
    /// Where the scheduler keeps it.
    let index: Int

    init(_ request: Request, index: Int) {
        id = request.id
        arrival = request.arrival
        priority = request.priority
        promptCount = request.promptCount
        outputCount = request.outputCount
        computedCount = request.computedCount
        preemptionCount = request.preemptionCount
        self.index = index
    }
}
