import JSON
import InferenceEngine
import Requests

/// An answer that can be sent in pieces.
protocol StreamingAnswer: Sendable {
    /// What has been sent so far.
    associatedtype Progress: Sendable

    /// Which usage the client wants to hear of.
    var streamOptions: StreamOptions { get }
    /// Nothing sent yet, and the chunks that come before anything is known.
    func begin() -> (progress: Progress, chunks: [JSONValue])
    /// The chunks that tell of `event` of the prompt with this index.
    func chunks(_ prompt: Int, _ event: GenerationEvent, _ progress: inout Progress) -> [JSONValue]
    /// What it has cost so far.
    func usage(_ progress: Progress) -> Usage
    /// The last chunk, with the usage and no choices.
    func usageChunk(_ usage: Usage) -> JSONValue
}
