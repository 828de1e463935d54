import Requests
import Scheduling

/// One request that any policy has reason to pass over, among others that never stop coming.
struct StarvationLoad {
    let seed: UInt64

    func run(_ policy: any SchedulerPolicy) -> [String] {
        var world = SchedulerWorld(
            blockCount: 16, blockSize: 2, maxBatchedTokenCount: 8, maxSequenceCount: 2, maxPreemptionCount: 2,
            maxOvertakingCount: 64, policy: policy)
        // The others come first, so that policies have learnt to like them and their tenants have no history.
        for index in 0..<4 { offer(index, to: &world) }
        let poor = world.add(
            Array(repeating: 9, count: 20), priority: 1000, tenant: "others",
            deadlineSeconds: seed % 2 == 0 ? nil : 3600
        ) { $0.maxTokens = 8 }
        for index in 4..<2000 {
            if world.scheduler.statistics.waitingCount < 6 { offer(index, to: &world) }
            world.step()
            if world.reasons[poor] != nil { break }
        }
        var failures = world.brokenInvariants
        if world.reasons[poor] == nil {
            failures.append("passed over for \(world.admissionOrder.count) admissions and not finished")
        }
        world.run()
        return failures + world.brokenInvariants
    }

    /// A short, urgent request whose prompt is in the cache, of a tenant that was never served.
    private func offer(_ index: Int, to world: inout SchedulerWorld) {
        let tenant = seed < 2 ? "tenant \(index)" : "others"
        world.add([1, 2, 3, 4, 5], priority: -1000, tenant: tenant, deadlineSeconds: 30) { $0.maxTokens = 2 }
    }
}
