/// One request of a trace.
public struct TraceRequest: Sendable, Hashable {
    /// Seconds from the trace's start to its arrival.
    public var arrivalSeconds: Double
    /// Tokens of its prompt.
    public var promptCount: Int
    /// Tokens that its answer will have; the scheduler does not know.
    public var outputCount: Int
    /// Whom it is for.
    public var tenant = ""
    /// Lower is more urgent.
    public var priority = 0
    /// Requests with the same one begin with the same tokens.
    public var prefixID: String?
    /// How many tokens those are.
    public var prefixCount = 0
    /// Seconds from its arrival to its deadline.
    public var deadlineSeconds: Double?

    /// A request without tenant, prefix or deadline.
    public init(arrivalSeconds: Double, promptCount: Int, outputCount: Int) {
        self.arrivalSeconds = arrivalSeconds
        self.promptCount = promptCount
        self.outputCount = outputCount
    }
}

/// Requests in the order of their arrival, one at a time: a trace is never held whole.
public protocol Trace: ~Copyable {
    /// The next request; nil at the end. Throws what is wrong with the trace.
    mutating func next() throws(SimulationError) -> TraceRequest?
}
