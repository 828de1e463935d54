import Synchronization

/// The requests that run. A shutdown refuses new ones, waits for running ones and finally aborts them.
final class RunningRequests: Sendable {
    private struct State {
        var isOpen = true
        var isAborting = false
        var nextID = 0
        var cancels: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    /// Whether new requests are accepted.
    var isOpen: Bool { state.withLock(\.isOpen) }

    var isEmpty: Bool { state.withLock(\.cancels.isEmpty) }

    /// Refuses new requests from now on.
    func close() { state.withLock { $0.isOpen = false } }

    /// Cancels all running and future requests.
    func abortAll() {
        let cancels = state.withLock { state in
            state.isOpen = false
            state.isAborting = true
            return Array(state.cancels.values)
        }
        for cancel in cancels { cancel() }
    }

    /// The error that a client receives when its request ends with `error`.
    func failure(_ error: any Error) -> ServerError {
        if error is CancellationError, state.withLock(\.isAborting) {
            return .unavailable("the server is shutting down")
        }
        return ServerError(generation: error)
    }

    /// Runs `operation`. It is cancelled when the client of `connection` disconnects, when the caller is cancelled, or
    /// by `abortAll`.
    func run<Value: Sendable>(
        on connection: HTTPConnection, _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let task = Task { try await operation() }
        let (id, isAborting) = state.withLock { state in
            state.nextID += 1
            state.cancels[state.nextID] = { task.cancel() }
            return (state.nextID, state.isAborting)
        }
        connection.onHangUp { task.cancel() }
        defer {
            connection.onHangUp(nil)
            state.withLock { $0.cancels[id] = nil }
        }
        if isAborting { task.cancel() }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
