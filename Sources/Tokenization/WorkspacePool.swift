import Synchronization

/// Workspaces that no call uses at the moment, for any number of threads.
final class WorkspacePool: Sendable {
    /// A workspace. It is not used by two threads at once, because `take` removes it from the pool.
    private struct Idle: @unchecked Sendable {
        let workspace: TokenizerWorkspace
    }

    private let idle = Mutex<[Idle]>([])
    /// More workspaces than threads encode at once are not worth their memory.
    private static let maximumCount = 8

    init() {}

    /// A workspace that only the caller uses until it gives it back.
    func take() -> TokenizerWorkspace {
        idle.withLock { $0.popLast() }?.workspace ?? TokenizerWorkspace()
    }

    func give(_ workspace: TokenizerWorkspace) {
        let returned = Idle(workspace: workspace)
        idle.withLock { if $0.count < Self.maximumCount { $0.append(returned) } }
    }
}
