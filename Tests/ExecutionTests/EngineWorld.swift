import Execution
import KVCaching
import Requests
import Scheduling
import SharedValues
import Testing

/// A scheduler over a real model, stepped by hand, with every invariant checked after every step.
struct EngineWorld: ~Copyable {
    private var scheduler: Scheduler
    private var runner: ModelRunner
    private var lastID: UInt64 = 0
    private(set) var tokens: [RequestID: [Int32]] = [:]
    private(set) var logprobs: [RequestID: [TokenLogprobs]] = [:]
    private(set) var preemptionCount = 0
    /// Requests that ended with a step that failed, and what it said.
    private(set) var failedIDs: Set<RequestID> = []
    private(set) var failures: [String] = []

    init(
        runner: ModelRunner, blockCount: Int, groups: [CacheGroup], limits: SchedulerLimits,
        prefixCaching: Bool = true, swapBlockCount: Int = 0, policy: any SchedulerPolicy = FirstComeFirstServed()
    ) {
        self.runner = runner
        scheduler = Scheduler(
            limits: limits,
            cache: KVCacheManager(
                blockCount: blockCount, groups: groups, isPrefixCachingEnabled: prefixCaching,
                swapBlockCount: swapBlockCount),
            policy: policy)
    }

    var isIdle: Bool { scheduler.isIdle }
    var statistics: SchedulerStatistics { scheduler.statistics }

    mutating func add(
        _ prompt: [Int32], _ sampling: SamplingParameters, adapter: AdapterID? = nil
    ) -> RequestID {
        lastID += 1
        let id = RequestID(lastID)
        scheduler.add(
            Request(
                id: id, prompt: prompt, attributes: RequestAttributes(sampling: sampling, adapter: adapter),
                arrival: EngineInstant(nanoseconds: lastID)))
        return id
    }

    mutating func abort(_ id: RequestID) { _ = scheduler.abort(id) }

    mutating func step() throws {
        let output = schedule()
        take(try runner.execute(output), of: output)
    }

    /// A step whose failure ends its requests, as in the engine.
    mutating func stepThroughFailures() throws {
        let output = schedule()
        do {
            take(try runner.execute(output), of: output)
        } catch {
            failedIDs.formUnion(scheduler.failStep(output))
            failures.append("\(error)")
            #expect(scheduler.checkInvariants() == nil)
        }
    }

    private mutating func schedule() -> SchedulerOutput {
        let output = scheduler.schedule(at: EngineInstant(nanoseconds: lastID))
        preemptionCount += output.preempted.count
        #expect(scheduler.checkInvariants() == nil)
        return output
    }

    private mutating func take(_ result: ModelRunnerOutput, of output: SchedulerOutput) {
        for progress in scheduler.update(output, with: result) {
            tokens[progress.id, default: []] += progress.result.tokens
            if !progress.result.logprobs.isEmpty { logprobs[progress.id, default: []] += progress.result.logprobs }
        }
        #expect(scheduler.checkInvariants() == nil)
    }
}
