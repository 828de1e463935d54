import Hummingbird
import NIOCore

/// What Hummingbird knows of one request beside its head and body: the connection it came through.
struct Exchange: InitializableFromSource, Sendable {
    /// The channel that the request came through.
    let channel: any Channel

    /// Called by Hummingbird for each request.
    init(source: ApplicationRequestContextSource) {
        channel = source.channel
    }

    /// The HTTP/1 side of the connection.
    func connection() async throws -> HTTPConnection {
        try await channel.pipeline.handler(type: HTTPConnection.self).get()
    }
}
