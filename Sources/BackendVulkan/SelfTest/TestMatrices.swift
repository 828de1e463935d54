import SharedValues
import Tensors

/// Forty rows of twenty numbers as they lie on the device: the second tile and the last chunk are not full.
struct DenseTestMatrix {
    static let (outputSize, inputSize) = (40, 20)
    /// `[outputSize, inputSize]`.
    let numbers: [Float]
    let words: [UInt32]
    let chunkCount: Int

    init(_ type: ElementType) {
        let tensor = HostTensor(
            SelfTestCase.numbers(Self.outputSize * Self.inputSize, seed: 20), shape: [Self.outputSize, Self.inputSize],
            as: type)
        chunkCount = Self.inputSize.dividedUp(by: DeviceMatrix.chunk(type))
        let tileByteCount = chunkCount * DeviceMatrix.tile * 16
        var words = SelfTestCase.unwritten(2 * tileByteCount / 4)
        words.withUnsafeMutableBytes { bytes in
            for tile in 0..<2 {
                DeviceMatrix.encode(
                    tensor, firstRow: tile * DeviceMatrix.tile,
                    into: UnsafeMutableRawBufferPointer(
                        rebasing: bytes[tile * tileByteCount..<(tile + 1) * tileByteCount]))
            }
        }
        numbers = tensor.floats()
        self.words = words
    }
}

/// Forty random rows in a quantized format: the second tile is not full, there are two groups or blocks, and the last
/// slice is not full where there can be such a slice.
struct QuantizedTestMatrix {
    let stored: QuantizedMatrix
    let codes: [UInt32]
    let scales: [UInt32]
    let groups: QuantizationGroups

    /// `isWhole`: whether rows are to be whole slices.
    init(_ format: QuantizedFormat, isWhole: Bool) {
        let layout = Self.layout(format)
        let inputSize =
            switch layout {
            case .groups: isWhole ? 96 : 84
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
        var codes = SelfTestCase.unwritten(2 * format.codesByteCount(inputSize: inputSize) / 4)
        var scales = SelfTestCase.unwritten(2 * format.scalesByteCount(inputSize: inputSize) / 4)
        codes.withUnsafeMutableBytes { codes in
            scales.withUnsafeMutableBytes { scales in
                for tile in 0..<2 {
                    let (codeCount, scaleCount) = (codes.count / 2, scales.count / 2)
                    QuantizedTileEncoder(stored, format).encode(
                        firstRow: tile * QuantizedFormat.tile,
                        codes: .init(rebasing: codes[tile * codeCount..<(tile + 1) * codeCount]),
                        scales: .init(rebasing: scales[tile * scaleCount..<(tile + 1) * scaleCount]))
                }
            }
        }
        self.stored = stored
        self.codes = codes
        self.scales = scales
        groups = format.groups(inputSize: inputSize)
    }

    /// A layout that is brought into `format`.
    private static func layout(_ format: QuantizedFormat) -> QuantizedLayout {
        switch format.scaling {
        case .minimum: .blocks(format.bitCount == 4 ? .q4_1 : .q5_1)
        case .nestedMinimum: .blocks(format.bitCount == 4 ? .q4K : .q5K)
        case .nestedCentred: .blocks(.q6K)
        case .centred where format.bitCount == 5: .blocks(.q5_0)
        case .centred, .zeros:
            .groups(
                GroupFormat(
                    bitCount: format.bitCount, groupSize: 64, scaleType: format.scaleType,
                    hasZeros: format.scaling == .zeros))
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
