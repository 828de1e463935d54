import Backends
import CLibrary
import Synchronization

/// Threads that work in lock-step: the caller is number 0, the others are started once and joined on deinit.
final class WorkerPool: Sendable {
    #if canImport(Glibc)
        private typealias ThreadHandle = pthread_t
    #else
        private typealias ThreadHandle = UInt
    #endif

    private let team: WorkerTeam
    private let threads: [ThreadHandle]
    private let turn = Mutex(())

    /// Threads, the caller included.
    var threadCount: Int { team.threadCount }

    /// Starts `threadCount - 1` threads. Throws `unavailable` when the host refuses one.
    init(threadCount: Int) throws(BackendError) {
        team = WorkerTeam(threadCount: threadCount)
        var threads: [ThreadHandle] = []
        for thread in 1..<max(threadCount, 1) {
            guard let handle = Self.start(thread: thread, of: team) else {
                team.begin(nil)
                for handle in threads { Self.join(handle) }
                throw .unavailable(device: "cpu", reason: "the system refused thread \(thread) of \(threadCount)")
            }
            threads.append(handle)
        }
        self.threads = threads
    }

    deinit {
        team.begin(nil)
        for handle in threads { Self.join(handle) }
    }

    /// Lets every thread do its share of `work` and returns when all are done. One piece of work at a time.
    func run(_ work: any TeamWork) {
        turn.withLock { _ in
            team.begin(work)
            work.perform(thread: 0, of: team)
            team.synchronize()
            team.end()
        }
    }

    /// Who a new thread is.
    private final class Start: Sendable {
        let team: WorkerTeam
        let thread: Int

        init(team: WorkerTeam, thread: Int) {
            self.team = team
            self.thread = thread
        }
    }

    private static func start(thread: Int, of team: WorkerTeam) -> ThreadHandle? {
        let start = Unmanaged.passRetained(Start(team: team, thread: thread))
        #if canImport(Glibc)
            var handle = pthread_t()
            let status = pthread_create(
                &handle, nil,
                { argument in
                    guard let argument else { return nil }
                    let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                    start.team.serve(thread: start.thread)
                    return nil
                }, start.toOpaque())
        #else
            var pointer: pthread_t?
            let status = pthread_create(
                &pointer, nil,
                { argument in
                    let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                    start.team.serve(thread: start.thread)
                    return nil
                }, start.toOpaque())
            let handle = UInt(bitPattern: pointer)
        #endif
        guard status == 0 else {
            start.release()
            return nil
        }
        return handle
    }

    private static func join(_ handle: ThreadHandle) {
        #if canImport(Glibc)
            pthread_join(handle, nil)
        #else
            if let pointer = pthread_t(bitPattern: handle) { pthread_join(pointer, nil) }
        #endif
    }
}
