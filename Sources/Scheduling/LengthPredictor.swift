/// Predicts the length of an answer from those that have ended: by tenant and by the prompt's length class.
///
/// Running means of about the last 64 answers. Lengths of one tenant's answers to
/// prompts of similar length are alike enough to rank by (Fu et al., arXiv 2408.15792, learn the ranking itself).
struct LengthPredictor: Sendable {
    private struct Mean: Sendable {
        var count = 0.0
        var value = 0.0

        mutating func add(_ sample: Double) {
            count = min(count + 1, 64)
            value += (sample - value) / count
        }
    }

    private struct Key: Sendable, Hashable {
        let tenant: String
        let lengthClass: Int
    }

    /// Clients choose the names of tenants. Beyond this many classes, new tenants share the mean of their length class.
    private static let maxKeyCount = 4096

    private var means: [Key: Mean] = [:]
    private var classes: [Int: Mean] = [:]
    private var all = Mean()

    /// Learns from an answer that was not cut off.
    mutating func learn(_ request: RequestView) {
        let sample = Double(request.outputCount)
        let key = Self.key(request)
        all.add(sample)
        classes[key.lengthClass, default: Mean()].add(sample)
        if means.count < Self.maxKeyCount || means[key] != nil { means[key, default: Mean()].add(sample) }
    }

    /// Tokens that the request will still produce, more than 0 and never more than it may.
    func remainingOutput(of request: RequestView) -> Double {
        let key = Self.key(request)
        let known = [means[key], classes[key.lengthClass], all].compactMap(\.self).first { $0.count > 0 }
        let produced = Double(request.outputCount)
        // Lengths have heavy tails: an answer longer than predicted is expected to go on for half its length.
        let left = known.map { max($0.value - produced, produced / 2) } ?? 256
        return min(max(left, 1), Double(max(request.outputLimit, 1)))
    }

    private static func key(_ request: RequestView) -> Key {
        Key(tenant: request.tenant, lengthClass: Int.bitWidth - request.promptCount.leadingZeroBitCount)
    }
}
