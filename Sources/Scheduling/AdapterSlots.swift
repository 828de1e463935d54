import Requests

/// Which adapters are in the device's slots, and which waiting requests may run because of that.
///
/// The rule, all of it:
///
/// - A request with an adapter runs only while its adapter is in a slot, and a slot with running requests keeps its adapter.
///   So a step has at most as many different adapters as there are slots.
/// - An adapter that is in no slot gets an empty one, else the one without running requests that was used least recently.
/// - A request that the policy chose and whose adapter finds no slot is passed over. Once an adapter has waited like this for
///   `maxAdapterWaitCount` steps, it has a *claim* on the next slot; of several adapters, the one that waits longest, and
///   only one at a time.
/// - While there is a claim, no other adapter gets a slot, and the slot with the fewest running requests is *closed*: it
///   takes no new requests. These end after at most their `maxTokens` steps, or are preempted and then wait. Whichever slot is
///   free first goes to the claim, with the request of that adapter that has waited longest, whatever the policy says.
///
/// So every adapter gets a slot after a bounded number of steps, whatever arrives and whatever the policy answers.
struct AdapterSlots: Sendable {
    private struct Slot {
        var adapter: AdapterID?
        /// Requests of the adapter that run.
        var runningCount = 0
        /// Larger for slots that were used later.
        var lastUse = 0
    }

    private struct Claim {
        let adapter: AdapterID
        let closedSlot: Int
    }

    private var slots: [Slot]
    /// The slot of each adapter that is in one.
    private var slotIndices: [AdapterID: Int] = [:]
    /// Waiting requests of each adapter that has any.
    private var waitingCounts: [AdapterID: Int] = [:]
    /// The step in which a request of the adapter was first passed over, since one was last admitted.
    private var blockedSince: [AdapterID: Int] = [:]
    private var claim: Claim?
    private let maxWaitCount: Int
    private var useCount = 0
    private var loads: [Int: AdapterID] = [:]
    /// Whether requests that were passed over may be admissible now.
    private(set) var hasChanged = false

    init(count: Int, maxWaitCount: Int) {
        slots = Array(repeating: Slot(), count: count)
        self.maxWaitCount = maxWaitCount
    }

    var count: Int { slots.count }
    /// The adapters of running requests, and those of waiting ones, in the order of their ids.
    var runningAdapters: [AdapterID] { slots.filter { $0.runningCount > 0 }.compactMap(\.adapter).sorted() }
    var waitingAdapters: [AdapterID] { waitingCounts.keys.sorted() }

    func slot(of adapter: AdapterID) -> Int? { slotIndices[adapter] }

    /// Whether any request of `adapter` waits or runs.
    func isInUse(_ adapter: AdapterID) -> Bool {
        waitingCounts[adapter] != nil || slotIndices[adapter].map { slots[$0].runningCount > 0 } == true
    }

    // MARK: Admission

    /// The adapter whose request is to be admitted next, before any that the policy chooses: it has a claim, and a slot is
    /// free.
    var claimant: AdapterID? { slots.contains { $0.runningCount == 0 } ? claim?.adapter : nil }

    /// Whether a request of `adapter` may be admitted now.
    func canAdmit(_ adapter: AdapterID) -> Bool {
        if let index = slotIndices[adapter] { return claim?.closedSlot != index }
        return (claim == nil || claim?.adapter == adapter) && slots.contains { $0.runningCount == 0 }
    }

    /// A step begins: an adapter that was passed over for too long gets a claim.
    mutating func beginStep(_ step: Int) {
        if let claim, waitingCounts[claim.adapter] == nil { endClaim() }
        guard claim == nil, !blockedSince.isEmpty else { return }
        let blocked = blockedSince.filter { slotIndices[$0.key] == nil && step - $0.value >= maxWaitCount }
        guard let longest = blocked.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }),
            let closed = slots.indices.min(by: {
                (slots[$0].runningCount, slots[$0].lastUse, $0) < (slots[$1].runningCount, slots[$1].lastUse, $1)
            })
        else { return }
        claim = Claim(adapter: longest.key, closedSlot: closed)
    }

    /// A request of `adapter` was chosen and passed over.
    mutating func passedOver(_ adapter: AdapterID, step: Int) {
        if blockedSince[adapter] == nil { blockedSince[adapter] = step }
    }

    /// Takes the change that `hasChanged` reports.
    mutating func takeChange() { hasChanged = false }

    /// No request of the claiming adapter can be admitted after all.
    mutating func endClaim() {
        if let claim { blockedSince[claim.adapter] = nil }
        claim = nil
        hasChanged = true
    }

    // MARK: Requests

    /// A request of `adapter` begins to wait.
    mutating func waits(_ adapter: AdapterID) { waitingCounts[adapter, default: 0] += 1 }

    /// A waiting request of `adapter` runs. Precondition: `canAdmit`.
    mutating func admitted(_ adapter: AdapterID) {
        endsWaiting(adapter)
        blockedSince[adapter] = nil
        if claim?.adapter == adapter { endClaim() }
        let index = slotIndices[adapter] ?? load(adapter)
        slots[index].runningCount += 1
        use(index)
    }

    /// A running request of `adapter` does not run any more.
    mutating func stopped(_ adapter: AdapterID) {
        guard let index = slotIndices[adapter] else { preconditionFailure("\(adapter) runs in no slot") }
        slots[index].runningCount -= 1
        use(index)
        if slots[index].runningCount == 0 { hasChanged = true }
    }

    /// A waiting request of `adapter` ends or runs.
    mutating func endsWaiting(_ adapter: AdapterID) {
        let count = (waitingCounts[adapter] ?? 0) - 1
        precondition(count >= 0, "no request of \(adapter) waits")
        waitingCounts[adapter] = count == 0 ? nil : count
        if count == 0 { blockedSince[adapter] = nil }
    }

    private mutating func use(_ index: Int) {
        useCount += 1
        slots[index].lastUse = useCount
    }

    private mutating func load(_ adapter: AdapterID) -> Int {
        let free = slots.indices.filter { slots[$0].runningCount == 0 }
        // Slots that were never used come first, because their last use is 0.
        guard let index = free.min(by: { (slots[$0].lastUse, $0) < (slots[$1].lastUse, $1) }) else {
            preconditionFailure("\(adapter) was admitted without a free slot")
        }
        if let former = slots[index].adapter { slotIndices[former] = nil }
        slots[index].adapter = adapter
        slotIndices[adapter] = index
        loads[index] = adapter
        hasChanged = true
        return index
    }

    // MARK: The device

    /// The adapters to put into slots before the step.
    mutating func takeLoads() -> [AdapterLoad] {
        guard !loads.isEmpty else { return [] }
        defer { loads.removeAll() }
        return loads.sorted { $0.key < $1.key }.map { AdapterLoad($0.value, slot: $0.key) }
    }

    /// Forgets what is in the slots: a load may have failed. Precondition: no request runs.
    mutating func forgetAll() {
        for index in slots.indices {
            precondition(slots[index].runningCount == 0, "slot \(index) is in use")
            slots[index] = Slot()
        }
        slotIndices.removeAll()
        loads.removeAll()
        hasChanged = true
    }

    /// Forgets `adapter`, which will not come again. Precondition: it is not in use.
    mutating func forget(_ adapter: AdapterID) {
        precondition(!isInUse(adapter), "\(adapter) is in use")
        guard let index = slotIndices.removeValue(forKey: adapter) else { return }
        slots[index] = Slot()
        loads[index] = nil
    }

    // MARK: Invariants

    /// The first broken invariant, in words, given the adapters of all running and of all waiting requests.
    func checkInvariants(running: [AdapterID], waiting: [AdapterID]) -> String? {
        let runningCounts = Dictionary(running.map { ($0, 1) }, uniquingKeysWith: +)
        for (adapter, count) in runningCounts {
            guard let index = slotIndices[adapter] else { return "\(adapter) runs in no slot" }
            if slots[index].runningCount != count {
                return "\(count) requests of \(adapter) run, not \(slots[index].runningCount)"
            }
        }
        if slots.reduce(0, { $0 + $1.runningCount }) != running.count {
            return "a slot counts requests that do not run"
        }
        for (adapter, index) in slotIndices where slots[index].adapter != adapter {
            return "\(adapter) is not in slot \(index)"
        }
        if waitingCounts != Dictionary(waiting.map { ($0, 1) }, uniquingKeysWith: +) {
            return "\(waitingCounts) wait, by requests \(waiting)"
        }
        if let claim, slotIndices[claim.adapter] != nil { return "\(claim.adapter) claims a slot and has one" }
        return nil
    }
}
