import Synchronization

/// The generations that run, so that a shutdown can refuse new ones, wait for these and in the end abort them.
final class RunningRequests: Sendable {
    private struct State {
        var isOpen = true
        var isAborting = false
        var nextID = 0
        var cancels: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    /// Whether new requests are taken.
    var isOpen: Bool { state.withLock(\.isOpen) }

    /// Whether nothing runs.
    var isEmpty: Bool { state.withLock(\.cancels.isEmpty) }

    /// Takes no more requests.
    func close() { state.withLock { $0.isOpen = false } }

    /// Cancels all that run and all that come.
    func abortAll() {
        let cancels = state.withLock { state in
            state.isOpen = false
            state.isAborting = true
            return Array(state.cancels.values)
        }
        for cancel in cancels { cancel() }
    }

    /// What a client hears of a generation that ended with `error`.
    func failure(_ error: any Error) -> ServerError {
        if error is CancellationError, state.withLock(\.isAborting) {
            return .unavailable("the server is shutting down")
        }
        return ServerError(generation: error)
    }

    /// Runs `operation` so that it is cancelled when `connection`'s client goes, when the caller is cancelled, or by
    /// `abortAll`.
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
