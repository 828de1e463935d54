/// Checks of numbers that size everything else: each is positive and small enough that no product of three overflows
/// and nothing is allocated on a lie's word.
struct ConfigurationLimits {
    let file: String

    /// `value`, if it counts or measures something: 1 to `limit`.
    func size(_ value: Int?, _ key: String, limit: Int = 1 << 20) throws(WeightLoadingError) -> Int {
        let expected = "an integer from 1 to \(limit)"
        guard let value else { throw .missingKey(file: file, key: key, expected: expected) }
        guard (1...limit).contains(value) else {
            throw .illTypedKey(file: file, key: key, expected: expected, found: "\(value)")
        }
        return value
    }

    /// `value`, if it is positive.
    func positive(_ value: Double, _ key: String) throws(WeightLoadingError) -> Double {
        guard value > 0, value.isFinite else {
            throw .illTypedKey(file: file, key: key, expected: "a positive number", found: "\(value)")
        }
        return value
    }

    /// Checks that `count` heads share `keyValueCount`.
    func requireGroups(count: Int, keyValueCount: Int, key: String) throws(WeightLoadingError) {
        guard count % keyValueCount == 0 else {
            throw .illTypedKey(
                file: file, key: key, expected: "a divisor of the \(count) query heads", found: "\(keyValueCount)")
        }
    }

    /// The size of a head that the checkpoint does not state.
    func headSize(hiddenSize: Int, headCount: Int, key: String) throws(WeightLoadingError) -> Int {
        guard hiddenSize % headCount == 0 else {
            throw .illTypedKey(
                file: file, key: key, expected: "a divisor of the hidden size, \(hiddenSize)", found: "\(headCount)")
        }
        return hiddenSize / headCount
    }

    /// Checks that `size` numbers of a head can turn in pairs.
    func requireRotarySize(_ size: Int, headSize: Int, key: String) throws(WeightLoadingError) {
        guard size >= 2, size % 2 == 0, size <= headSize else {
            throw .illTypedKey(
                file: file, key: key, expected: "an even number up to the head size, \(headSize)", found: "\(size)")
        }
    }
}
