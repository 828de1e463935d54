import JSON
import Hummingbird

/// Server-sent events (WHATWG HTML, section 9.2) as OpenAI's clients read them.
enum EventStream {
    /// `data: JSON` and an empty line.
    static func event(_ value: JSONValue) -> ByteBuffer {
        var bytes = Array("data: ".utf8)
        value.write(to: &bytes)
        bytes.append(contentsOf: "\n\n".utf8)
        return ByteBuffer(bytes: bytes)
    }

    /// The end of a stream that went well.
    static let done = ByteBuffer(string: "data: [DONE]\n\n")

    /// Sends what `generation` does as chunks of `answer`, then the usage if asked for, then `[DONE]`.
    ///
    /// Throws where the client is gone, the engine fails or the task is cancelled; the caller ends the stream with an
    /// error event then.
    static func send<Answer: StreamingAnswer>(
        _ answer: Answer, of generation: Generation, to writer: inout any ResponseBodyWriter
    ) async throws {
        let options = answer.streamOptions
        let (begun, first) = answer.begin()
        var progress = begun
        func send(_ chunk: JSONValue, to writer: inout any ResponseBodyWriter) async throws {
            guard options.includesUsage, case .object(var object) = chunk else {
                return try await writer.write(event(chunk))
            }
            object.append("usage", options.continuousUsage ? answer.usage(progress).json : .null)
            try await writer.write(event(.object(object)))
        }
        for chunk in first { try await send(chunk, to: &writer) }
        try await generation.forEach { prompt, event in
            for chunk in answer.chunks(prompt, event, &progress) { try await send(chunk, to: &writer) }
        }
        if options.includesUsage { try await writer.write(event(answer.usageChunk(answer.usage(progress)))) }
        try await writer.write(done)
    }
}
