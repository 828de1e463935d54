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
    /// A failure of the engine becomes an error event, which ends the stream. Throws where the client is gone.
    static func send<Answer: StreamingAnswer>(
        _ answer: Answer, of generation: Generation, to writer: inout any ResponseBodyWriter,
        failure: (any Error) -> ServerError
    ) async throws {
        let options = answer.streamOptions
        var (progress, first) = answer.begin()
        func send(_ chunk: JSONValue, to writer: inout any ResponseBodyWriter) async throws {
            guard options.includesUsage, case .object(var object) = chunk else {
                return try await writer.write(event(chunk))
            }
            object.append("usage", options.continuousUsage ? answer.usage(progress).json : .null)
            try await writer.write(event(.object(object)))
        }
        do {
            for chunk in first { try await send(chunk, to: &writer) }
            first = []
            try await generation.forEach { prompt, event in
                for chunk in answer.chunks(prompt, event, &progress) { try await send(chunk, to: &writer) }
            }
        } catch {
            try await writer.write(event(failure(error).body))
            return
        }
        if options.includesUsage { try await writer.write(event(answer.usageChunk(answer.usage(progress)))) }
        try await writer.write(done)
    }
}
