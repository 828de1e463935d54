import NIOCore
import NIOPosix
import Synchronization

/// A connection to the server that sends and receives raw bytes.
struct TestConnection: Sendable {
    private let channel: any Channel
    private let received: ReceivedBytes

    init(port: Int) async throws {
        let received = ReceivedBytes()
        self.received = received
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(received) }
            }
            // Allows closing the sending half of the connection.
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port).get()
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text))
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    func close() async throws {
        try await channel.close()
    }

    /// Closes the sending half; the client can still receive.
    func closeOutput() async throws {
        try await channel.close(mode: .output)
    }

    /// Everything received until `condition` holds for it, the connection ends or ten seconds pass.
    func receive(until condition: (String) -> Bool) async throws -> String {
        for _ in 0..<2000 {
            let (text, isClosed) = received.snapshot
            if isClosed || condition(text) { return text }
            try await Task.sleep(for: .milliseconds(5))
        }
        return received.snapshot.text
    }

    /// Discards received bytes.
    func forget() { received.clear() }

    /// The next complete response; earlier ones are discarded.
    func response() async throws -> TestResponse {
        let text = try await receive { TestResponse($0) != nil }
        received.clear()
        guard let response = TestResponse(text) else { throw TestFailure("no whole answer in '\(text)'") }
        return response
    }

    /// Waits for the server to close.
    func waitForEnd() async throws -> Bool {
        for _ in 0..<2000 where !received.snapshot.isClosed { try await Task.sleep(for: .milliseconds(5)) }
        let isClosed = received.snapshot.isClosed
        try? await channel.close()
        return isClosed
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Collects received bytes.
final class ReceivedBytes: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let state = Mutex((bytes: [UInt8](), isClosed: false))

    var snapshot: (text: String, isClosed: Bool) {
        state.withLock { (String(decoding: $0.bytes, as: UTF8.self), $0.isClosed) }
    }

    func clear() { state.withLock { $0.bytes = [] } }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Array(unwrapInboundIn(data).readableBytesView)
        state.withLock { $0.bytes += bytes }
    }

    func channelInactive(context: ChannelHandlerContext) { state.withLock { $0.isClosed = true } }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        state.withLock { $0.isClosed = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
