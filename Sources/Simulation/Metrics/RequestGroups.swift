/// Latencies by tenant and by priority, for the first few of each.
struct RequestGroups: Sendable {
    private static let limit = 16

    private struct Group: Sendable {
        let name: String
        var finished = 0
        var outputTokens = 0
        var timeToFirstToken = Histogram()
        var endToEnd = Histogram()

        var figures: PolicyReport.Group {
            PolicyReport.Group(
                name: name, finished: finished, outputTokens: outputTokens,
                timeToFirstToken: PolicyReport.Distribution(timeToFirstToken),
                endToEnd: PolicyReport.Distribution(endToEnd))
        }
    }

    private var byTenant: [Group] = []
    private var byPriority: [Group] = []
    private var tenantIndices: [String: Int] = [:]
    private var priorityIndices: [Int: Int] = [:]

    var tenants: [PolicyReport.Group] { byTenant.count > 1 ? byTenant.map(\.figures) : [] }
    var priorities: [PolicyReport.Group] { byPriority.count > 1 ? byPriority.map(\.figures) : [] }

    mutating func tenantIndex(of tenant: String) -> Int? {
        if let index = tenantIndices[tenant] { return index }
        guard byTenant.count < Self.limit else { return nil }
        byTenant.append(Group(name: tenant))
        tenantIndices[tenant] = byTenant.count - 1
        return byTenant.count - 1
    }

    private mutating func priorityIndex(of priority: Int) -> Int? {
        if let index = priorityIndices[priority] { return index }
        guard byPriority.count < Self.limit else { return nil }
        byPriority.append(Group(name: "\(priority)"))
        priorityIndices[priority] = byPriority.count - 1
        return byPriority.count - 1
    }

    mutating func addFirstToken(_ request: SimulatedRequest, after seconds: Double) {
        if let index = request.tenant { byTenant[index].timeToFirstToken.add(seconds) }
        if let index = priorityIndex(of: request.priority) { byPriority[index].timeToFirstToken.add(seconds) }
    }

    mutating func addEnd(_ request: SimulatedRequest, after seconds: Double) {
        if let index = request.tenant { add(seconds, request, to: &byTenant[index]) }
        if let index = priorityIndex(of: request.priority) { add(seconds, request, to: &byPriority[index]) }
    }

    private func add(_ seconds: Double, _ request: SimulatedRequest, to group: inout Group) {
        group.finished += 1
        group.outputTokens += request.outputCount
        group.endToEnd.add(seconds)
    }
}
