import Hummingbird
import InferenceEngine
import JSON
import Requests

/// Server-sent events (WHATWG HTML, section 9.2) as OpenAI's clients read them.
enum EventStream {
    /// `data: JSON` and an empty line.
    static func event(_ value: JSONValue) -> ByteBuffer {
        var bytes = Array("data: ".utf8)
        value.write(to: &bytes)
        bytes.append(contentsOf: "\n\n".utf8)
        return ByteBuffer(bytes: bytes)
    }

    /// The end of a complete stream.
    static let done = ByteBuffer(string: "data: [DONE]\n\n")

    /// Sends the output of `stream` as chunks of `response`, then the usage if requested, then `[DONE]`.
    ///
    /// Throws if the client is gone, the engine fails or the task is cancelled. The caller then ends the stream with an
    /// error event.
    static func send(
        _ response: some StreamedResponse, of stream: ResponseStream, to writer: inout any ResponseBodyWriter
    ) async throws {
        let options = response.streamOptions
        let (begun, first) = response.begin()
        var progress = begun
        func send(_ chunk: JSONValue, to writer: inout any ResponseBodyWriter) async throws {
            guard options.includesUsage, case .object(var object) = chunk else {
                return try await writer.write(event(chunk))
            }
            object.append("usage", options.continuousUsage ? response.usage(progress).json : .null)
            try await writer.write(event(.object(object)))
        }
        for chunk in first { try await send(chunk, to: &writer) }
        try await stream.forEach { prompt, event in
            for chunk in response.chunks(prompt, event, &progress) { try await send(chunk, to: &writer) }
        }
        if options.includesUsage { try await writer.write(event(response.usageChunk(response.usage(progress)))) }
        try await writer.write(done)
    }
}

/// A response that can be sent in chunks.
protocol StreamedResponse: Sendable {
    /// The state of a stream between chunks.
    associatedtype Progress: Sendable

    /// The usage that the client requested.
    var streamOptions: StreamOptions { get }
    /// The state before any event, and the first chunks.
    func begin() -> (progress: Progress, chunks: [JSONValue])
    /// The chunks for `event` of the prompt with this index.
    func chunks(_ prompt: Int, _ event: GenerationEvent, _ progress: inout Progress) -> [JSONValue]
    /// The usage so far.
    func usage(_ progress: Progress) -> Usage
    /// The last chunk, which has the usage and no choices.
    func usageChunk(_ usage: Usage) -> JSONValue
}
