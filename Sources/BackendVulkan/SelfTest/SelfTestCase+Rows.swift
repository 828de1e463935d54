import Backends
import CLibrary
import Tensors

extension SelfTestCase {
    private static let width = 70
    private static let rows = 2

    static func norm() -> SelfTestCase {
        let input = numbers(width * rows, seed: 1)
        let weight = numbers(width, seed: 2)
        return SelfTestCase(
            bindings: [bits(input), bits(weight), unwritten(width * rows)],
            constants: [70, 70, 0, 70, 0, 0, Float(1e-5).bitPattern], rowCount: rows, output: 2,
            expected: normed(input.map { Double($0) }, weight))
    }

    static func addNorm(_ constants: [String: Int]) -> SelfTestCase {
        let left = numbers(width * rows, seed: 3)
        let right = numbers(width * rows, seed: 4)
        let weight = numbers(width, seed: 5)
        let sums = zip(left, right).map { Double($0 + $1) }
        return SelfTestCase(
            bindings: [
                bits(left), bits(right), bits(weight), unwritten(width * rows), unwritten(width * rows),
            ],
            constants: [70, 70, 0, 70, 0, 70, 0, 70, 0, 0, Float(1e-5).bitPattern], rowCount: rows,
            groupCount: constants["PARTS"] ?? 1, output: 4, expected: normed(sums, weight))
    }

    private static func normed(_ rows: [Double], _ weight: [Float]) -> [Double] {
        stride(from: 0, to: rows.count, by: weight.count).flatMap { start in
            let row = rows[start..<start + weight.count]
            let mean = row.reduce(0) { $0 + $1 * $1 } / Double(weight.count)
            return zip(row, weight).map { $0 / (mean + 1e-5).squareRoot() * Double($1) }
        }
    }

    static func gated() -> SelfTestCase {
        let gate = numbers(width * rows, seed: 6).map { $0 * 8 }
        let up = numbers(width * rows, seed: 7)
        return SelfTestCase(
            bindings: [bits(gate), bits(up), unwritten(width * rows)],
            constants: [70, 70, 0, 70, 0, 70, 0, 0], rowCount: rows, groupCount: 2, output: 2,
            expected: zip(gate, up).map { Double($0) / (1 + exp(-Double($0))) * Double($1) })
    }

    static func add() -> SelfTestCase {
        let left = numbers(width * rows, seed: 8)
        let right = numbers(width * rows, seed: 9)
        return SelfTestCase(
            bindings: [bits(left), bits(right), unwritten(width * rows)], constants: [70, 70, 0, 70, 0, 70, 0],
            rowCount: rows, groupCount: 2, output: 2, expected: zip(left, right).map { Double($0 + $1) })
    }

    static func gather() -> SelfTestCase {
        let input = numbers(width * 3, seed: 10)
        return SelfTestCase(
            bindings: [[2, 0], bits(input), unwritten(width * rows)], constants: [70, 70, 0, 70, 0], rowCount: rows,
            groupCount: 2, output: 2, expected: (input[140...] + input[..<70]).map { Double($0) })
    }

    /// The columns of two rows, the last one first.
    static func reorder() -> SelfTestCase {
        let input = numbers(width * rows, seed: 15)
        return SelfTestCase(
            bindings: [(0..<UInt32(width)).reversed(), bits(input), unwritten(width * rows)],
            constants: [70, 70, 0, 70, 0], rowCount: rows, groupCount: 2, output: 2,
            expected: (input[..<70].reversed() + input[70...].reversed()).map { Double($0) })
    }

    static func softCap() -> SelfTestCase {
        let input = numbers(width * rows, seed: 11).map { $0 * 9 }
        return SelfTestCase(
            bindings: [bits(input), unwritten(width * rows)],
            constants: [70, 70, 0, 70, 0, Float(3).bitPattern], rowCount: rows, groupCount: 2, output: 1,
            expected: input.map { 3 * tanh(Double($0) / 3) })
    }

    /// Two heads of eight numbers for two tokens: normed, turned as halves, to a value or to slots 1 and 0 of a cache.
    static func head(cacheType: CacheType?) -> SelfTestCase {
        let input = numbers(32, seed: 12)
        let weight = numbers(8, seed: 13)
        let angles = numbers(3 * 4 * 2, seed: 14)
        let positions = [2, 1]
        let slots = [1, 0]
        var expected = [Double](repeating: 0, count: 32)
        for token in 0..<2 {
            for head in 0..<2 {
                let start = token * 16 + head * 8
                let row = normed(input[start..<start + 8].map { Double($0) }, weight)
                for index in 0..<8 {
                    let angle = (positions[token] * 4 + index % 4) * 2
                    let (cosine, sine) = (Double(angles[angle]), Double(angles[angle + 1]))
                    let turned =
                        index < 4
                        ? row[index] * cosine - row[index + 4] * sine : row[index] * cosine + row[index - 4] * sine
                    expected[(cacheType == nil ? token : slots[token]) * 16 + head * 8 + index] = turned
                }
            }
        }
        let type = cacheType ?? .f32
        var trial = SelfTestCase(
            bindings: [
                bits(input), bits(weight), bits(angles), positions.map { UInt32($0) }, slots.map { UInt32($0) },
                unwritten(4 * type.headByteCount(headSize: 8) / 4),
            ],
            constants: [8, 16, 0, type == .int8 ? 6 : 16, 0, 1, 0, Float(1e-5).bitPattern, 4, 0], rowCount: 2,
            groupCount: 2, output: 5,
            // Rounded as the cache does.
            expected: read(cached(expected.map { Float($0) }, headSize: 8, as: type), headSize: 8, as: type).map {
                Double($0)
            })
        // A number near the middle between two of 16 bits, or of 8, may become either.
        if type != .f32 { trial.tolerance = type == .int8 ? 1e-4 : 1e-5 }
        trial.read = { read($0, headSize: 8, as: type) }
        return trial
    }
}
