public import Requests
import SharedValues

/// Requests to measure with: random prompts and output lengths, the same for every engine with the same seed.
public struct Workload: Sendable, Hashable {
    /// Requests in all.
    public var requestCount = 16
    /// How many of them are under way at once.
    public var concurrency = 16
    /// Tokens of a prompt.
    public var promptTokenCount = 16...256
    /// Tokens that a request produces; end tokens are ignored.
    public var outputTokenCount = 64...128
    /// Seed of prompts and lengths.
    public var seed: UInt64 = 7
    /// The adapters that requests have, in turn; empty: none has one.
    public var adapters: [AdapterID] = []

    /// Sixteen requests at once.
    public init() {}

    /// One request's part of the work.
    struct Item: Sendable {
        let prompt: [Int32]
        let outputTokenCount: Int
        let adapter: AdapterID?
    }

    /// The requests, with prompts of tokens below `vocabularySize`.
    func items(vocabularySize: Int) -> [Item] {
        var random = SplitMix64(seed: seed)
        return (0..<requestCount).map { index in
            let length = Int.random(in: promptTokenCount, using: &random)
            return Item(
                prompt: (0..<length).map { _ in Int32.random(in: 0..<Int32(vocabularySize), using: &random) },
                outputTokenCount: Int.random(in: outputTokenCount, using: &random),
                adapter: adapters.isEmpty ? nil : adapters[index % adapters.count])
        }
    }
}
