import CLibrary

/// One row of logits, `[vocabularySize]`.
extension UnsafeMutableBufferPointer<Float> {
    /// The largest number; NaN counts as the smallest. Minus infinity for an empty row.
    func largest() -> Float {
        guard let base = baseAddress else { return -.infinity }
        var best = SIMD16<Float>(repeating: -.infinity)
        var index = 0
        while index + 16 <= count {
            let lanes = UnsafeRawPointer(base + index).loadUnaligned(as: SIMD16<Float>.self)
            // A comparison with NaN is false, so NaN never replaces anything.
            best.replace(with: lanes, where: lanes .> best)
            index += 16
        }
        var largest = best.max()
        while index < count {
            if base[index] > largest { largest = base[index] }
            index += 1
        }
        return largest
    }

    /// The index of the largest number, the first of equal ones; 0 where there is none.
    func argmax() -> Int {
        let largest = largest()
        guard let base = baseAddress else { return 0 }
        let target = SIMD16<Float>(repeating: largest)
        var index = 0
        while index + 16 <= count {
            let lanes = UnsafeRawPointer(base + index).loadUnaligned(as: SIMD16<Float>.self)
            if any(lanes .== target) { break }
            index += 16
        }
        while index < count {
            if base[index] == largest { return index }
            index += 1
        }
        return 0
    }

    /// `log(sum(exp(x)))`, over 64-bit sums in order; minus infinity where every number is.
    func logSumExp() -> Double {
        let largest = largest()
        guard largest > -.infinity, largest < .infinity else { return Double(largest) }
        var sum = 0.0
        for value in self where value == value { sum += Double(expf(value - largest)) }
        return Double(largest) + log(sum)
    }

    /// The tokens of the `limit` largest numbers, best first, equal ones by id, NaN never; `tokens` keeps its storage.
    /// For small limits: insertion into a sorted list. Once the list is full, sixteen tokens at a time are compared with
    /// its last one, and most are below it.
    func rank(_ limit: Int, into tokens: inout [Int32]) {
        tokens.removeAll(keepingCapacity: true)
        let limit = Swift.min(limit, count)
        guard limit > 0, let base = baseAddress else { return }
        var index = 0
        while index < count {
            if tokens.count == limit, index + 16 <= count {
                let lanes = UnsafeRawPointer(base + index).loadUnaligned(as: SIMD16<Float>.self)
                // A comparison with NaN is false.
                guard any(lanes .> SIMD16(repeating: base[Int(tokens[limit - 1])])) else {
                    index += 16
                    continue
                }
            }
            for candidate in index..<Swift.min(index + 16, count) { insert(candidate, into: &tokens, limit: limit) }
            index += 16
        }
    }

    private func insert(_ index: Int, into tokens: inout [Int32], limit: Int) {
        let value = self[index]
        guard value == value else { return }
        if tokens.count == limit {
            if value <= self[Int(tokens[limit - 1])] { return }
            tokens.removeLast()
        }
        var position = tokens.count
        while position > 0, value > self[Int(tokens[position - 1])] { position -= 1 }
        tokens.insert(Int32(truncatingIfNeeded: index), at: position)
    }
}
