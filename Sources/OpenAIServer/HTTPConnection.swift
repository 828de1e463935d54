import NIOCore
import NIOHTTP1
import Synchronization

/// The part of HTTP/1 that Hummingbird's request and response types do not carry: the protocol's version, every `Host`
/// field, whether a body has arrived whole, when the connection must be closed, and whether the client is still there
/// (RFC 9112).
///
/// It stands in the channel's pipeline between NIO's HTTP/1 coders and Hummingbird's types.
/// `HTTPConnection.Installer` puts it there.
final class HTTPConnection: ChannelDuplexHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// What the head of a request says about the message and the connection.
    struct RequestHead: Sendable, Equatable {
        /// The protocol's version.
        var version: HTTPVersion
        /// Whether it is older than HTTP/1.1: no chunks, no `100 Continue`, a connection for each request.
        var isHTTP10: Bool { version.major == 0 || version == .http1_0 }
        /// The request target as it was sent; proxies send the absolute form.
        var target: String
        /// The values of all `Host` fields.
        var hosts: [String]
        /// Whether this is the connection's last request, because the client says so.
        var isLast: Bool
        /// Whether the whole body has arrived.
        var isComplete = false

        init(_ head: HTTPRequestHead) {
            version = head.version
            target = head.uri
            hosts = head.headers["Host"]
            isLast = false
            // HTTP/1.0 knows no chunks: an answer of unknown length ends where the connection does.
            isLast = isHTTP10 || head.headers[canonicalForm: "Connection"].contains { $0.lowercased() == "close" }
        }
    }

    private struct State {
        /// Requests that are not answered yet, oldest first. A client may send several before it reads an answer.
        var requests: [RequestHead] = []
        /// Whether the connection ends with the answer that is being written.
        var isClosing = false
        /// Whether that answer is written, and only what is left of the request is read.
        var isLingering = false
        var isGone = false
        var onHangUp: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// How long a client may go on sending a body that nobody reads before its connection is cut.
    private static let lingerTime = TimeAmount.seconds(5)

    /// The request that is being answered; nil where there is none.
    var request: RequestHead? { state.withLock { $0.requests.first } }

    /// Calls `watcher` once when the client goes, at once if it has. A connection serves one request at a time, so
    /// there is one watcher; nil takes it away.
    ///
    /// A client that closes only its sending half counts as gone, as in other servers: for a server the two look the
    /// same until it writes.
    func onHangUp(_ watcher: (@Sendable () -> Void)?) {
        let isGone = state.withLock { state in
            state.onHangUp = watcher
            return state.isGone
        }
        if isGone { watcher?() }
    }

    /// Whether the client has gone.
    var isGone: Bool { state.withLock(\.isGone) }

    private func clientHasGone() {
        let watcher = state.withLock { state in
            state.isGone = true
            return state.onHangUp
        }
        watcher?()
    }

    // MARK: What arrives

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        let (isClosing, isLingering) = state.withLock { state in
            switch part {
            case .head(let head): state.requests.append(RequestHead(head))
            case .body: break
            case .end: if let last = state.requests.indices.last { state.requests[last].isComplete = true }
            }
            return (state.isClosing, state.isLingering)
        }
        guard isClosing else { return context.fireChannelRead(data) }
        if isLingering, case .end = part { context.close(promise: nil) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Nobody behind this handler asks for more once the answer is written.
        if state.withLock(\.isLingering) { context.read() }
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            clientHasGone()
            if state.withLock(\.isLingering) { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        clientHasGone()
        context.fireChannelInactive()
    }

    // MARK: What is sent

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.code >= 200:
            prepare(&head)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end: writeEnd(context, data, promise)
        default: context.write(data, promise: promise)
        }
    }

    /// Decides whether the connection ends with this answer, and says so in its head.
    private func prepare(_ head: inout HTTPResponseHead) {
        let isClosing = state.withLock { state in
            guard let request = state.requests.first else { return false }
            // With this version, the encoder does not write chunks.
            if request.isHTTP10 { head.version = .http1_0 }
            // What is left of a body cannot be told from the next request.
            state.isClosing = request.isLast || !request.isComplete
            return state.isClosing
        }
        if isClosing { head.headers.replaceOrAdd(name: "Connection", value: "close") }
    }

    private func writeEnd(_ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        let (isClosing, isComplete) = state.withLock { state in
            let isComplete = state.requests.first?.isComplete ?? true
            if !state.requests.isEmpty { state.requests.removeFirst() }
            return (state.isClosing, isComplete)
        }
        guard isClosing else { return context.write(data, promise: promise) }
        let written = promise ?? context.eventLoop.makePromise()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        written.futureResult.whenComplete { [self] _ in
            let context = bound.value
            guard !isComplete, context.channel.isActive else { return context.close(promise: nil) }
            // To close now, with bytes of the client's still arriving, would reset the connection and could take the
            // answer with it (RFC 9112, section 9.6). So only the sending half is closed, and the rest is read.
            state.withLock { $0.isLingering = true }
            context.close(mode: .output, promise: nil)
            context.read()
            context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingerTime) { bound.value.close(promise: nil) }
        }
        context.writeAndFlush(data, promise: written)
    }

    /// Asks a client that waits for leave (`Expect: 100-continue`) to send the body (RFC 9110, section 10.1.1).
    func sendContinue(on channel: any Channel) {
        channel.eventLoop.execute {
            guard let context = try? channel.pipeline.syncOperations.context(handler: self) else { return }
            let head = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(self.wrapOutboundOut(.head(head)), promise: nil)
        }
    }

    /// Puts an `HTTPConnection` where it belongs, from the place where Hummingbird adds handlers.
    final class Installer: ChannelInboundHandler, RemovableChannelHandler, Sendable {
        typealias InboundIn = NIOAny

        func handlerAdded(context: ChannelHandlerContext) {
            do {
                let pipeline = context.pipeline.syncOperations
                let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
                try pipeline.addHandler(HTTPConnection(), position: .after(decoder))
            } catch {
                context.fireErrorCaught(error)
                context.close(promise: nil)
            }
        }
    }
}
