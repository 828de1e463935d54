/// How far the service of two tenants drifts apart while both have requests waiting.
///
/// Service is counted as in Sheng et al. (OSDI'24): `promptCost` for each prompt token at admission, `outputCost` for
/// each token produced. For each pair of tenants and each time during which both wait, the drift is the largest
/// change of the difference of their services; the gap is the largest drift. Only the first few tenants are followed.
struct FairnessGap: Sendable {
    private static let maxTenantCount = 8

    private struct Pair: Sendable {
        let left: Int
        let right: Int
        var isBacklogged = false
        var minimum = 0.0
        var maximum = 0.0
    }

    let promptCost: Double
    let outputCost: Double
    private let weights: [String: Double]
    private var indices: [String: Int] = [:]
    private var served: [Double] = []
    private var waitingCounts: [Int] = []
    private var costs: [Double] = []
    private var pairs: [Pair] = []
    private(set) var gap = 0.0

    init(promptCost: Double, outputCost: Double, weights: [String: Double]) {
        self.promptCost = promptCost
        self.outputCost = outputCost
        self.weights = weights
    }

    /// The index of `tenant`; nil beyond the first few.
    mutating func index(of tenant: String) -> Int? {
        if let index = indices[tenant] { return index }
        guard indices.count < Self.maxTenantCount else { return nil }
        let index = indices.count
        indices[tenant] = index
        served.append(0)
        waitingCounts.append(0)
        costs.append(1 / (weights[tenant] ?? 1))
        pairs += (0..<index).map { Pair(left: $0, right: index) }
        return index
    }

    mutating func wait(_ tenant: Int?, by change: Int) {
        if let tenant { waitingCounts[tenant] += change }
    }

    mutating func admit(_ tenant: Int?, promptCount: Int) {
        if let tenant { served[tenant] += promptCost * costs[tenant] * Double(promptCount) }
    }

    mutating func produce(_ tenant: Int?) {
        if let tenant { served[tenant] += outputCost * costs[tenant] }
    }

    /// Updates the gap; called after each step.
    mutating func update() {
        for index in pairs.indices {
            let pair = pairs[index]
            guard waitingCounts[pair.left] > 0, waitingCounts[pair.right] > 0 else {
                pairs[index].isBacklogged = false
                continue
            }
            let difference = served[pair.left] - served[pair.right]
            pairs[index].minimum = pair.isBacklogged ? min(pair.minimum, difference) : difference
            pairs[index].maximum = pair.isBacklogged ? max(pair.maximum, difference) : difference
            pairs[index].isBacklogged = true
            gap = max(gap, pairs[index].maximum - pairs[index].minimum)
        }
    }
}
