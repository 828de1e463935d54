import Backends
import CLibrary
import Synchronization

/// Work that all threads of a team do together, each with its own number. Not Sendable, because it may be a plan. While the
/// work is performed, threads only read the object itself. In the memory that it points to they write disjoint rows,
/// columns or claimed items, with barriers where one thread reads what another has written.
protocol TeamWork: AnyObject {
    /// Does thread `thread`'s share. Every thread must call `team.synchronize()` equally often.
    func perform(thread: Int, of team: WorkerTeam)
}

/// The state that the threads of a pool share: the current work, a barrier, and a condition to sleep on.
final class WorkerTeam: @unchecked Sendable {
    // Sendable: the caller of `begin` writes `work` and `isStopping` before it increments the generation. The other
    // threads read them after they have seen the increment, and the caller writes them again only after all threads have
    // arrived at `synchronize`. `TeamWork` says what threads may do with `work` at the same time. Everything else is
    // atomic or a pthread object.

    /// Threads, the caller of `begin` included.
    let threadCount: Int
    private(set) var work: (any TeamWork)?
    private(set) var isStopping = false
    private let generation = SharedCounter()
    private let arrivals = SharedCounter()
    private let sleepers = SharedCounter()
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Polls before a waiting thread yields its processor: one where there are fewer processors than threads.
    private let pollCount: Int
    /// Further polls before an idle thread goes to sleep, each with a yield: tens of microseconds.
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

    /// Waits until all threads have called it as often as this one. All then see what each has written before.
    func synchronize() {
        guard threadCount > 1 else { return }
        let target = (arrivals.take() / threadCount + 1) * threadCount
        var polls = 0
        while arrivals.acquired < target {
            polls += 1
            if polls >= pollCount { sched_yield() }
        }
    }

    /// Starts `work` on all threads and wakes those that sleep; nil ends the threads.
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

    /// Releases the work, once all have synchronized.
    func end() { work = nil }

    /// Waits until the generation reaches `target`: polls for some microseconds, then sleeps.
    private func awaitGeneration(_ target: Int) {
        for poll in 0..<pollCount + idlePollCount {
            if generation.acquired >= target { return }
            if poll >= pollCount { sched_yield() }
        }
        // This thread counts itself as a sleeper before its last look at the generation, and `begin` increments the
        // generation before it looks for sleepers, so one of the two sees the other.
        _ = sleepers.take()
        pthread_mutex_lock(mutex)
        while generation.current < target { pthread_cond_wait(condition, mutex) }
        pthread_mutex_unlock(mutex)
        sleepers.giveBack()
    }

    /// The loop of every thread other than the caller of `begin`.
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

/// An atomic counter that shares its cache lines with nothing else.
final class SharedCounter: Sendable {
    // Two cache lines on either side, so that writes to neighbouring memory do not invalidate the line that threads poll.
    private let before = Padding()
    private let value = Atomic<Int>(0)
    private let after = Padding()

    private struct Padding {
        let words: (Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0)
        let more: (Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0)
    }

    /// Its value. Sequentially consistent, so the caller also sees everything written before the value was set.
    @inline(__always)
    var current: Int { value.load(ordering: .sequentiallyConsistent) }

    /// Its value with acquiring order, which is cheaper than `current`.
    @inline(__always)
    var acquired: Int { value.load(ordering: .acquiring) }

    /// Adds one; returns the value before.
    @inline(__always)
    func take() -> Int { value.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue }

    /// Subtracts one.
    func giveBack() { value.wrappingSubtract(1, ordering: .sequentiallyConsistent) }

    /// Sets it to zero.
    func reset() { value.store(0, ordering: .releasing) }
}

/// The part of `count` things that falls to `thread`: runs of equal length, give or take one.
@inline(__always)
func share(of count: Int, thread: Int, threadCount: Int) -> Range<Int> {
    (count * thread / threadCount)..<(count * (thread + 1) / threadCount)
}
