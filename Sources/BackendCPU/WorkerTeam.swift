import Backends
import CLibrary

/// Work that all threads of a team do together, each with its own number. Not Sendable, as it may be a plan: while it is
/// performed, threads only read the object itself, and write disjoint rows, columns or claimed items of the memory that it
/// points to, with barriers where one reads what another wrote.
protocol TeamWork: AnyObject {
    /// Does thread `thread`'s share. Every thread must call `team.synchronize()` equally often.
    func perform(thread: Int, of team: WorkerTeam)
}

/// What the threads of a pool share: the work at hand, a barrier, a place to sleep.
final class WorkerTeam: @unchecked Sendable {
    // Sendable: `work` and `isStopping` are written by the caller of `begin` before the generation is counted up
    // and read by the others after they saw it counted up; the caller writes them again only after `synchronize`
    // has heard from all. What threads do with `work` at once is what `TeamWork` allows. Everything else is atomic or a
    // pthread object.

    /// Threads, the caller of `begin` included.
    let threadCount: Int
    private(set) var work: (any TeamWork)?
    private(set) var isStopping = false
    private let generation = SharedCounter()
    private let arrivals = SharedCounter()
    private let sleepers = SharedCounter()
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Polls before a waiting thread offers its processor to others: none where there are too few processors.
    private let pollCount: Int
    /// Polls before an idle thread goes to sleep, each with an offer of the processor: tens of microseconds.
    private let idlePollCount = 100

    init(threadCount: Int) {
        self.threadCount = threadCount
        pollCount = HostMachine.processorCount() >= threadCount ? 4000 : 1
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(condition)
        mutex.deallocate()
        condition.deallocate()
    }

    /// Waits until all threads have called it as often as this one; what each wrote before, all see after.
    func synchronize() {
        guard threadCount > 1 else { return }
        let target = (arrivals.take() / threadCount + 1) * threadCount
        var polls = 0
        while arrivals.acquired < target {
            polls += 1
            if polls >= pollCount { sched_yield() }
        }
    }

    /// Hands out `work` and wakes whoever sleeps; nil: tells the threads to end.
    func begin(_ work: (any TeamWork)?) {
        self.work = work
        isStopping = work == nil
        _ = generation.take()
        if sleepers.current > 0 {
            pthread_mutex_lock(mutex)
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
    }

    /// Lets go of the work, once all have synchronized.
    func end() { work = nil }

    /// Waits until the generation has come to `target`: polls for a moment, then sleeps.
    private func awaitGeneration(_ target: Int) {
        for poll in 0..<pollCount + idlePollCount {
            if generation.acquired >= target { return }
            if poll >= pollCount { sched_yield() }
        }
        // Counted among the sleepers before the last look, as `begin` counts up before it looks for sleepers:
        // one of the two sees the other.
        _ = sleepers.take()
        pthread_mutex_lock(mutex)
        while generation.current < target { pthread_cond_wait(condition, mutex) }
        pthread_mutex_unlock(mutex)
        sleepers.giveBack()
    }

    /// What a thread other than the caller of `begin` does all its life.
    func serve(thread: Int) {
        var served = 0
        while true {
            served += 1
            awaitGeneration(served)
            if isStopping { return }
            work?.perform(thread: thread, of: self)
            synchronize()
        }
    }
}
