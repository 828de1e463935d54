import CLibrary

/// Arithmetic on natural logarithms of probabilities, sums in 64 bits and in order: equal rows give equal results.
enum LogDistribution {
    /// Turns logits into log probabilities, in place. False where one of them is not finite.
    static func normalize(_ logits: UnsafeMutableBufferPointer<Float>) -> Bool {
        var largest = -Float.infinity
        var checksum: Float = 0
        for logit in logits {
            // Neither NaN nor infinity leaves a zero here.
            checksum += logit * 0
            largest = max(largest, logit)
        }
        guard checksum == 0, !logits.isEmpty else { return false }
        var sum = 0.0
        for logit in logits { sum += Double(expf(logit - largest)) }
        let normalizer = Double(largest) + log(sum)
        for index in logits.indices { logits[index] = Float(Double(logits[index]) - normalizer) }
        return true
    }

    /// `sum(p · (log p - log q))` in nats. Rounding may leave a little less than 0, which counts as 0.
    static func divergence(
        of reference: UnsafeBufferPointer<Float>, from model: UnsafeMutableBufferPointer<Float>
    ) -> Double {
        var sum = 0.0
        for index in reference.indices {
            sum += Double(expf(reference[index])) * Double(reference[index] - model[index])
        }
        return max(0, sum)
    }

    /// The first of the most likely.
    static func mode(_ row: some RandomAccessCollection<Float>) -> Int {
        var (best, value, index) = (0, -Float.infinity, 0)
        for element in row {
            if element > value { (best, value) = (index, element) }
            index += 1
        }
        return best
    }
}

/// Exponentials and roots for files that use Foundation's names.
enum Exponential {
    static func of(_ value: Float) -> Float { expf(value) }
    static func of(_ value: Double) -> Double { exp(value) }
}
