import SharedValues

/// One request of a trace.
public struct TraceRequest: Sendable, Hashable {
    /// Seconds from the trace's start to its arrival.
    public var arrivalSeconds: Double
    /// Tokens of its prompt.
    public var promptCount: Int
    /// Tokens that its answer will have; unknown to the scheduler.
    public var outputCount: Int
    /// The user or team that it belongs to.
    public var tenant = ""
    /// Lower is more urgent.
    public var priority = 0
    /// Requests with equal ids begin with equal tokens.
    public var prefixID: String?
    /// Tokens of the shared prefix.
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

/// Requests in the order of their arrival, one at a time, so that no trace has to fit into memory.
public protocol Trace: ~Copyable {
    /// The next request; nil at the end. Throws errors of the trace.
    mutating func next() throws(SimulationError) -> TraceRequest?
}

/// Prompts for requests of a trace: equal prefixes have equal tokens, all other tokens differ.
enum PromptTokens {
    /// The prompt of the `number`th request.
    static func prompt(of request: TraceRequest, number: UInt64) -> [Int32] {
        let prefixCount = request.prefixID == nil ? 0 : min(request.prefixCount, request.promptCount)
        let prefixSeed = request.prefixID.map { hash($0) } ?? 0
        let requestSeed = SplitMix64.mix(number &+ 0x5eed)
        return (0..<request.promptCount).map { position in
            let seed = position < prefixCount ? prefixSeed : requestSeed
            return Int32(truncatingIfNeeded: SplitMix64.mix(seed &+ UInt64(position)) >> 33)
        }
    }

    /// FNV-1a.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}

extension TraceRequest {
    /// The simulation's prompt of the trace's `number`th request, with tokens below `vocabularySize`.
    public func promptTokens(number: UInt64, vocabularySize: Int) -> [Int32] {
        PromptTokens.prompt(of: self, number: number).map { $0 % Int32(clamping: vocabularySize) }
    }
}
