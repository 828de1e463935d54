import Backends
import CLibrary
import SharedValues
import Tensors

extension SelfTestCase {
    /// The last rows of a context over two partitions, in blocks of sixteen that lie in reverse order; one key/value
    /// head that all of the kernel's heads read.
    static func attention(_ constants: [String: Int]) -> SelfTestCase {
        let type = cacheType(constants)
        let size = constants["HEAD_SIZE"] ?? 64
        let heads = constants["HEADS"] ?? 1
        let rows = constants["QUERIES"] ?? 1
        let context = (constants["PARTITION"] ?? 256) + 20 + rows
        let blockCount = context.dividedUp(by: 16)
        let blocks = (0..<blockCount).reversed().map { $0 }
        let slotCount = blockCount * 16
        let keys = cached(numbers(slotCount * size, seed: 30), headSize: size, as: type)
        let values = cached(numbers(slotCount * size, seed: 31), headSize: size, as: type)
        let queries = numbers(rows * heads * size, seed: 32)
        let (keyNumbers, valueNumbers) = (
            read(keys, headSize: size, as: type), read(values, headSize: size, as: type)
        )
        var expected: [Double] = []
        for row in 0..<rows {
            let slots = (0..<context - rows + row + 1).map { blocks[$0 / 16] * 16 + $0 % 16 }
            for head in 0..<heads {
                let query = queries[(row * heads + head) * size..<(row * heads + head + 1) * size]
                let weights = slots.map { slot in
                    exp(zip(query, keyNumbers[(slot * size)...]).reduce(0) { $0 + Double($1.0) * Double($1.1) } * 0.25)
                }
                let total = weights.reduce(0, +)
                for number in 0..<size {
                    let sum = zip(slots, weights).reduce(0) { $0 + $1.1 * Double(valueNumbers[$1.0 * size + number]) }
                    expected.append(sum / total)
                }
            }
        }
        let width = UInt32(heads * size)
        return SelfTestCase(
            bindings: [
                bits(queries), keys, values, unwritten(queries.count), unwritten(4),
                [0, UInt32(rows), UInt32(context - rows), 0, 0, 2, 0, 0], blocks.map { UInt32($0) },
            ],
            constants: [width, 0, width, 0, 1, UInt32(heads), 1, Float(0.25).bitPattern, 0, 0, 4, 0], rowCount: 1,
            output: 3, expected: expected)
    }

    /// One row of two heads whose context was summed up in two parts.
    static func attentionReduce(_ constants: [String: Int]) -> SelfTestCase {
        let size = constants["HEAD_SIZE"] ?? 64
        let stateSize = size + 2
        var states = numbers(4 * stateSize, seed: 33)
        for part in 0..<4 { states[part * stateSize + 1] = Float(part) + 1 }
        var expected: [Double] = []
        for head in 0..<2 {
            let (first, second) = (head * stateSize, (2 + head) * stateSize)
            let weights = (exp(Double(states[first])), exp(Double(states[second])))
            let total = Double(states[first + 1]) * weights.0 + Double(states[second + 1]) * weights.1
            for number in 2..<stateSize {
                expected.append(
                    (Double(states[first + number]) * weights.0 + Double(states[second + number]) * weights.1) / total)
            }
        }
        return SelfTestCase(
            bindings: [bits(states), [0, 0, 2, 0], unwritten(2 * size)], constants: [UInt32(2 * size), 0, 2],
            rowCount: 1, groupCount: 2, output: 2, expected: expected)
    }
}
