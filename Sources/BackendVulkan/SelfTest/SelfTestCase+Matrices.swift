import SharedValues
import Tensors

extension SelfTestCase {
    /// Forty rows of twenty numbers: a tile that is not full, and a chunk that is not.
    private static func matrix(_ type: ElementType) -> (tensor: HostTensor, packed: [UInt32], chunkCount: Int) {
        let tensor = HostTensor(numbers(40 * 20, seed: 20), shape: [40, 20], as: type)
        let chunkCount = 20.dividedUp(by: DeviceMatrix.chunk(type))
        let tileWordCount = chunkCount * DeviceMatrix.tile * 4
        var packed = unwritten(2 * tileWordCount)
        packed.withUnsafeMutableBytes { bytes in
            for tile in 0..<2 {
                let range = tile * tileWordCount * 4..<(tile + 1) * tileWordCount * 4
                DeviceMatrix.pack(
                    tensor, firstRow: tile * DeviceMatrix.tile,
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[range]))
            }
        }
        return (tensor, packed, chunkCount)
    }

    static func embed(_ constants: [String: Int]) -> SelfTestCase {
        let matrix = matrix(elementType(constants, "WEIGHT"))
        let rows = matrix.tensor.floats()
        return SelfTestCase(
            bindings: [[37, 3], matrix.packed, unwritten(2 * 20)],
            constants: [20, 20, 0, UInt32(matrix.chunkCount), 0, 40, Float(2).bitPattern], rowCount: 2, output: 2,
            expected: (rows[740..<760] + rows[60..<80]).map { Double($0) * 2 })
    }

    /// Numbers rounded to eleven bits, and sums of sixteen of their products as well.
    static func linearHalf(_ constants: [String: Int], rowsPerGroup: Int) -> SelfTestCase {
        var trial = linear(constants, rowsPerGroup: rowsPerGroup)
        trial.tolerance = 16 * 0x1p-22
        return trial
    }

    static func linear(_ constants: [String: Int], rowsPerGroup: Int) -> SelfTestCase {
        let matrix = matrix(elementType(constants, "WEIGHT"))
        let weights = matrix.tensor.floats().map { Double($0) }
        // One row more than a workgroup takes: another workgroup, not full.
        let rowCount = rowsPerGroup + 1
        // Rows are padded to 24; what the padding holds must not matter.
        var input = [Float](repeating: .nan, count: rowCount * 24)
        let filled = numbers(rowCount * 20, seed: 21)
        for index in filled.indices { input[index / 20 * 24 + index % 20] = filled[index] }
        let bias = numbers(40, seed: 22)
        var expected: [Double] = []
        for row in 0..<rowCount {
            for column in 0..<40 {
                let products = (0..<20).map { Double(input[row * 24 + $0]) * weights[column * 20 + $0] }
                expected.append(products.reduce(Double(bias[column]), +))
            }
        }
        return SelfTestCase(
            bindings: [bits(input), matrix.packed, bits(bias), unwritten(rowCount * 40)],
            constants: [20, 40, 6, 0, 40, 0, 1, 0], rowCount: rowCount, rowsPerGroup: rowsPerGroup, groupCount: 2,
            output: 3, expected: expected)
    }
}
