import SharedValues
import Tensors

extension SelfTestCase {
    static func packedEmbed(_ constants: [String: Int]) -> SelfTestCase {
        let matrix = PackedTestMatrix(constants)
        let width = matrix.stored.inputSize
        let rows = matrix.stored.dequantized().floats()
        return SelfTestCase(
            bindings: [[37, 3], matrix.quanta, matrix.scales, unwritten(2 * width)],
            constants: [UInt32(width), UInt32(width), 0, 0, 40, Float(2).bitPattern] + matrix.groupNumbers, rowCount: 2,
            groupCount: width.dividedUp(by: KernelShapes.elementGroup), output: 3,
            expected: (rows[37 * width..<38 * width] + rows[3 * width..<4 * width]).map { Double($0) * 2 })
    }

    static func packedLinear(_ constants: [String: Int], rowsPerGroup: Int) -> SelfTestCase {
        let matrix = PackedTestMatrix(constants)
        let width = matrix.stored.inputSize
        // One row more than a workgroup takes: another workgroup, not full.
        let rowCount = rowsPerGroup + 1
        // Rows are padded; what the padding holds must not matter.
        let stride = width.roundedUp(to: 8)
        var input = [Float](repeating: .nan, count: rowCount * stride)
        let filled = numbers(rowCount * width, seed: 41)
        for index in filled.indices { input[index / width * stride + index % width] = filled[index] }
        return packedLinear(
            matrix, bits(input), stride: stride, rowsPerGroup: rowsPerGroup, numbers: filled.map { Double($0) })
    }

    static func packedDot(_ constants: [String: Int], rowsPerGroup: Int) -> SelfTestCase {
        let matrix = PackedTestMatrix(constants)
        let width = matrix.stored.inputSize
        let rowCount = rowsPerGroup + 1
        let digits = TestDigits(constants, numbers(rowCount * width, seed: 41), width: width)
        return packedLinear(
            matrix, digits.words, stride: digits.stride, rowsPerGroup: rowsPerGroup, numbers: digits.numbers)
    }

    /// A linear operation on `input`, whose rows mean `numbers`.
    private static func packedLinear(
        _ matrix: PackedTestMatrix, _ input: [UInt32], stride: Int, rowsPerGroup: Int, numbers filled: [Double]
    ) -> SelfTestCase {
        let width = matrix.stored.inputSize
        let weights = matrix.stored.dequantized().floats().map { Double($0) }
        let rowCount = filled.count / width
        // As small as the products.
        let bias = numbers(40, seed: 42).map { $0 / 320 }
        var expected: [Double] = []
        for row in 0..<rowCount {
            for column in 0..<40 {
                var sum = Double(bias[column])
                for index in 0..<width { sum += filled[row * width + index] * weights[column * width + index] }
                expected.append(sum)
            }
        }
        return SelfTestCase(
            bindings: [input, matrix.quanta, matrix.scales, bits(bias), unwritten(rowCount * 40)],
            constants: [UInt32(width), 40, UInt32(stride / 4), 0, 40, 0, 1, 0] + matrix.groupNumbers,
            rowCount: rowCount, rowsPerGroup: rowsPerGroup, groupCount: 2, output: 4, expected: expected)
    }
}

/// Forty random rows in a packed format, two tiles the second of which is not full: two groups or blocks, and a slice
/// that is not full where there can be one.
private struct PackedTestMatrix {
    let stored: QuantizedMatrix
    let quanta: [UInt32]
    let scales: [UInt32]
    let groupNumbers: [UInt32]

    /// The format that kernels with `constants` read.
    init(_ constants: [String: Int]) {
        let layout = Self.layout(constants)
        let inputSize =
            switch layout {
            case .groups: constants["ENDS_IN_SLICE"] == 0 ? 96 : 84
            case .blocks(let format): 2 * format.elementCount
            }
        guard let format = try? QuantizedFormat(layout, inputSize: inputSize) else {
            preconditionFailure("a format that no kernel reads")
        }
        let rowByteCount = layout.rowByteCount(inputSize: inputSize)
        let rows = HostMemory(byteCount: 40 * rowByteCount) { bytes in
            guard let start = bytes.baseAddress else { return }
            for (index, number) in SelfTestCase.numbers(bytes.count, seed: 40).enumerated() {
                bytes[index] = UInt8(truncatingIfNeeded: number.bitPattern >> 4)
            }
            for row in 0..<40 { Self.setScales(of: layout, start + row * rowByteCount, inputSize) }
        }
        let stored = QuantizedMatrix(
            outputSize: 40, inputSize: inputSize, layout: layout, rows: StoredRows(rows, rowByteCount: rowByteCount))
        var quanta = SelfTestCase.unwritten(2 * format.quantaByteCount(inputSize: inputSize) / 4)
        var scales = SelfTestCase.unwritten(2 * format.scalesByteCount(inputSize: inputSize) / 4)
        quanta.withUnsafeMutableBytes { quanta in
            scales.withUnsafeMutableBytes { scales in
                for tile in 0..<2 {
                    let (quantaCount, scalesCount) = (quanta.count / 2, scales.count / 2)
                    TilePacking(stored, format).pack(
                        firstRow: tile * QuantizedFormat.tile,
                        quanta: .init(rebasing: quanta[tile * quantaCount..<(tile + 1) * quantaCount]),
                        scales: .init(rebasing: scales[tile * scalesCount..<(tile + 1) * scalesCount]))
                }
            }
        }
        self.stored = stored
        self.quanta = quanta
        self.scales = scales
        groupNumbers = format.groupNumbers(inputSize: inputSize)
    }

    private static func layout(_ constants: [String: Int]) -> QuantizedLayout {
        let bitCount = constants["BITS"] ?? 0
        let scaling = QuantizedFormat.Scaling(rawValue: constants["SCALING"] ?? 0)
        switch scaling {
        case .minimum: return .blocks(bitCount == 4 ? .q4_1 : .q5_1)
        case .nestedMinimum: return .blocks(bitCount == 4 ? .q4K : .q5K)
        case .nestedCentred: return .blocks(.q6K)
        case .centred where bitCount == 5: return .blocks(.q5_0)
        case .centred, .zeros, nil:
            return .groups(
                GroupFormat(
                    bitCount: bitCount, groupSize: 64, scaleType: SelfTestCase.elementType(constants, "SCALE"),
                    hasZeros: scaling == .zeros))
        }
    }

    /// Random bytes make no sensible scales; these lie on both sides of 2^-14, below which halves are subnormal.
    private static func setScales(of layout: QuantizedLayout, _ row: UnsafeMutableRawPointer, _ inputSize: Int) {
        let random = SelfTestCase.numbers(64, seed: 43 + Int(row.load(as: UInt8.self))).map {
            (0.02 + $0 * 0.01) / 320
        }
        switch layout {
        case .groups(let format):
            let scales = row + format.scaleByteOffset(inputSize: inputSize)
            for group in 0..<format.groupCount(inputSize: inputSize) {
                format.scaleType.store(random[group], to: scales, at: group)
            }
        case .blocks(let format):
            let offsets =
                switch format {
                case .q4_0, .q5_0, .q8_0: [0]
                case .q4_1, .q5_1, .q4K, .q5K: [0, 2]
                case .q6K: [208]
                }
            for block in 0..<inputSize / format.elementCount {
                for (index, offset) in offsets.enumerated() {
                    ElementType.f16.store(random[2 * block + index], to: row + block * format.byteCount + offset, at: 0)
                }
            }
        }
    }
}
