import QuirePlugins

/// `shortest_prompt`: admits the shortest prompt first, as if it were `tokens_per_second` shorter for each second that it
/// has waited, and preempts the request with most tokens left to compute.
struct ShortestPrompt: SchedulerPolicy {
    let tokensPerSecond: Double

    init(_ options: PluginOptions) throws {
        try options.check(known: ["tokens_per_second"])
        tokensPerSecond = try options.number("tokens_per_second", default: 100)
        guard tokensPerSecond >= 0 else {
            throw PluginOptionError(
                key: "tokens_per_second", expected: "0 or more", found: "\(tokensPerSecond)")
        }
    }

    func queuePosition(of request: RequestView, at now: EngineInstant) -> QueuePosition {
        // All waits grow equally fast: only the moment of arrival makes a difference.
        let arrival = Double(request.arrival.nanoseconds) / 1e9
        return QueuePosition(rank: Double(request.promptCount) + tokensPerSecond * arrival)
    }

    func victimRank(of running: RequestView, at now: EngineInstant) -> Double {
        Double(running.remainingCount + running.outputLimit)
    }
}

/// The function that quire looks for in the library.
@c(quire_plugin)
public func plugin(_ abi: UInt32) -> UnsafeRawPointer {
    exportPolicy("shortest_prompt") { options in try ShortestPrompt(options) }
}
