import SharedValues

/// Prompts for requests of a trace: equal prefixes have equal tokens, everything else differs.
enum PromptTokens {
    /// The prompt of the `number`th request.
    static func prompt(of request: TraceRequest, number: UInt64) -> [Int32] {
        let prefixCount = request.prefixID == nil ? 0 : min(request.prefixCount, request.promptCount)
        let prefixSeed = request.prefixID.map { hash($0) } ?? 0
        let ownSeed = SplitMix64.mix(number &+ 0x5eed)
        return (0..<request.promptCount).map { position in
            let seed = position < prefixCount ? prefixSeed : ownSeed
            return Int32(truncatingIfNeeded: SplitMix64.mix(seed &+ UInt64(position)) >> 33)
        }
    }

    /// FNV-1a.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}

extension TraceRequest {
    /// Tokens below `vocabularySize` for the prompt of the trace's `number`th request, as a simulation has them: equal
    /// prefixes are equal.
    public func promptTokens(number: UInt64, vocabularySize: Int) -> [Int32] {
        PromptTokens.prompt(of: self, number: number).map { $0 % Int32(clamping: vocabularySize) }
    }
}
