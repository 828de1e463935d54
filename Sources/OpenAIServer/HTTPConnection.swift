import NIOCore
import NIOHTTP1
import Synchronization

/// The part of HTTP/1 that Hummingbird's request and response types do not carry: the protocol's version, every `Host`
/// field, whether a body is complete, when the connection must be closed, and whether the client is still connected
/// (RFC 9112).
///
/// It is in the channel's pipeline between NIO's HTTP/1 coders and Hummingbird's types; `HTTPConnection.Installer` adds
/// it.
final class HTTPConnection: ChannelDuplexHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The properties of a request and its connection that the request's head states.
    struct RequestHead: Sendable, Equatable {
        var version: HTTPVersion
        /// Whether it is older than HTTP/1.1, without chunks, `100 Continue` and persistent connections.
        var isHTTP10: Bool { version.major == 0 || version == .http1_0 }
        /// The request target; proxies send its absolute form.
        var target: String
        /// The values of all `Host` fields.
        var hosts: [String]
        /// Whether the client says that this is the connection's last request.
        var isLast: Bool
        /// Whether the whole body was received.
        var isComplete = false

        init(_ head: HTTPRequestHead) {
            version = head.version
            target = head.uri
            hosts = head.headers["Host"]
            isLast = false
            // HTTP/1.0 has no chunks: a response of unknown length ends with the connection.
            isLast = isHTTP10 || head.headers[canonicalForm: "Connection"].contains { $0.lowercased() == "close" }
        }
    }

    private struct State {
        /// Requests without a complete response, oldest first. A client may send several before it reads a response.
        var requests: [RequestHead] = []
        /// Whether the connection ends with the response that is being written.
        var isClosing = false
        /// Whether that response is written, and only the rest of the request is still being read.
        var isLingering = false
        var isGone = false
        var onHangUp: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Maximum time for which the rest of a request's body is read and discarded.
    private static let lingerTime = TimeAmount.seconds(5)

    /// The request whose response is being written; nil: there is none.
    var request: RequestHead? { state.withLock { $0.requests.first } }

    /// Calls `watcher` once when the client disconnects, or immediately if it already has. A connection serves one
    /// request at a time, so there is one watcher; nil removes it.
    ///
    /// A client that closes only its sending half counts as disconnected, as in other servers, because a server can
    /// tell the difference only by writing.
    func onHangUp(_ watcher: (@Sendable () -> Void)?) {
        let isGone = state.withLock { state in
            state.onHangUp = watcher
            return state.isGone
        }
        if isGone { watcher?() }
    }

    var isGone: Bool { state.withLock(\.isGone) }

    private func clientHasGone() {
        let watcher = state.withLock { state in
            state.isGone = true
            return state.onHangUp
        }
        watcher?()
    }

    // MARK: Inbound

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
        // The handlers after this one do not read any more once the response is written.
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

    // MARK: Outbound

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.code >= 200:
            prepare(&head)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end: writeEnd(context, data, promise)
        default: context.write(data, promise: promise)
        }
    }

    /// Decides whether the connection ends with this response, and adds `Connection: close` to its head if so.
    private func prepare(_ head: inout HTTPResponseHead) {
        let isClosing = state.withLock { state in
            guard let request = state.requests.first else { return false }
            // For this version, the encoder does not write chunks.
            if request.isHTTP10 { head.version = .http1_0 }
            // The rest of an unread body could not be distinguished from the next request.
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
            // Closing the connection while the client still sends would reset it, and the client could lose the
            // response (RFC 9112, section 9.6). So only the sending half is closed, and the rest of the request is
            // read.
            state.withLock { $0.isLingering = true }
            context.close(mode: .output, promise: nil)
            context.read()
            context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingerTime) { bound.value.close(promise: nil) }
        }
        context.writeAndFlush(data, promise: written)
    }

    /// Tells a client that sent `Expect: 100-continue` to send the body (RFC 9110, section 10.1.1).
    func sendContinue(on channel: any Channel) {
        channel.eventLoop.execute {
            guard let context = try? channel.pipeline.syncOperations.context(handler: self) else { return }
            let head = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(self.wrapOutboundOut(.head(head)), promise: nil)
        }
    }

    /// Adds an `HTTPConnection` to the pipeline. Hummingbird adds this handler at the pipeline's end.
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
