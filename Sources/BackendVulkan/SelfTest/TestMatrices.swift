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
        let prefix = format.scalesPrefix
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
        self.scales = prefix + scales
        groups = format.groups(inputSize: inputSize)
    }

    /// A layout that is brought into `format`: groups where there are such, as their rows may end inside of a slice.
    private static func layout(_ format: QuantizedFormat) -> QuantizedLayout {
        let hasZeros = format.scaling == .zeros
        let isFloat8 = format.codes.values == .float8
        if GroupFormat.bitCounts.contains(format.bitCount), hasZeros || format.scaling == .centred {
            let groups = GroupFormat(
                bitCount: format.bitCount, groupSize: format.groupSize == 16 ? 16 : 64, scaleType: format.scaleType,
                hasZeros: hasZeros, isFloat8: isFloat8)
            if groups.codeFormat.values == format.codes.values { return .groups(groups) }
        }
        guard
            let blocks = BlockFormat.allCases.first(where: { $0.codeFormat == format.codes && $0.grid == format.grid })
        else {
            preconditionFailure("a format that no layout is brought into")
        }
        return .blocks(blocks)
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
            for block in 0..<inputSize / format.elementCount {
                format.storeScales([random[2 * block], random[2 * block + 1]], to: row + block * format.byteCount)
            }
        }
    }
}
