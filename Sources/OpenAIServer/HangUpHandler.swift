import NIOCore
import Synchronization

/// Notices that a client has gone, also while nobody reads from or writes to its connection.
///
/// A client that closes only its sending half counts as gone once a generation runs, as in other servers: for a
/// server the two look the same until it writes.
final class HangUpHandler: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = NIOAny

    private struct State {
        var isGone = false
        var watcher: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Calls `watcher` once when the client goes, at once if it has. A connection serves one request at a time, so
    /// there is one watcher; nil takes it away.
    func watch(_ watcher: (@Sendable () -> Void)?) {
        let isGone = state.withLock { state in
            state.watcher = watcher
            return state.isGone
        }
        if isGone { watcher?() }
    }

    private func clientHasGone() {
        let watcher = state.withLock { state in
            state.isGone = true
            return state.watcher
        }
        watcher?()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { clientHasGone() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        clientHasGone()
        context.fireChannelInactive()
    }
}
