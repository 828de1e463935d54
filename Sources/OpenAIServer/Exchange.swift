import Hummingbird
import NIOCore

/// What Hummingbird knows of one request beside its head and body: the connection it came through.
struct Exchange: InitializableFromSource, Sendable {
    /// The connection.
    let channel: any Channel

    /// Called by Hummingbird for each request.
    init(source: ApplicationRequestContextSource) {
        channel = source.channel
    }

    /// What tells when the client goes.
    func connection() async throws -> HangUpHandler {
        try await channel.pipeline.handler(type: HangUpHandler.self).get()
    }
}
