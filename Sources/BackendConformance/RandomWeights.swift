import SharedValues
import Tensors

extension WeightFormat {
    /// A random matrix whose rows have about the norm of those of `PlanSketch.matrix`.
    func matrix(
        outputSize: Int, inputSize: Int, computeType: ElementType, _ random: inout SplitMix64
    ) -> QuantizedMatrix {
        let layout = layout(inputSize: inputSize)
        let rowByteCount = layout.rowByteCount(inputSize: inputSize)
        let bound = (3 / Float(inputSize)).squareRoot()
        let memory = HostMemory(byteCount: outputSize * rowByteCount) { target in
            for index in target.indices { target[index] = UInt8.random(in: 0...255, using: &random) }
            guard let start = target.baseAddress else { return }
            for row in 0..<outputSize {
                writeScales(to: start + row * rowByteCount, layout, inputSize: inputSize, bound: bound, &random)
            }
        }
        return QuantizedMatrix(
            outputSize: outputSize, inputSize: inputSize, layout: layout, inputOrder: order(inputSize, &random),
            computeType: computeType, rows: StoredRows(memory, rowByteCount: rowByteCount))
    }

    private func layout(inputSize: Int) -> QuantizedLayout {
        switch kind {
        case .blocks(let format): return .blocks(format)
        case .groups(let bitCount, let size, let scaleType, let hasZeros, _):
            return .groups(
                GroupFormat(
                    bitCount: bitCount, groupSize: size ?? max(inputSize, 1), scaleType: scaleType,
                    hasZeros: hasZeros))
        }
    }

    private func order(_ inputSize: Int, _ random: inout SplitMix64) -> [Int32]? {
        guard case .groups(_, _, _, _, true) = kind else { return nil }
        return (0..<Int32(inputSize)).shuffled(using: &random)
    }

    /// Random bytes are valid codes, but not valid scales.
    private func writeScales(
        to row: UnsafeMutableRawPointer, _ layout: QuantizedLayout, inputSize: Int, bound: Float,
        _ random: inout SplitMix64
    ) {
        switch layout {
        case .groups(let format):
            let scales = row + format.scaleByteOffset(inputSize: inputSize)
            for group in 0..<format.groupCount(inputSize: inputSize) {
                let scale = Float.random(in: 0.5...1, using: &random) * bound / Float(format.middle)
                format.scaleType.store(scale, to: scales, at: group)
            }
        case .blocks(let format):
            for block in 0..<inputSize / format.elementCount {
                for (offset, magnitude) in format.scales {
                    let scale = Float.random(in: -1...1, using: &random) * bound * magnitude
                    (row + block * format.byteCount).storeBytes(
                        of: Float16(scale), toByteOffset: offset, as: Float16.self)
                }
            }
        }
    }
}

extension BlockFormat {
    /// The offsets of a block's f16 scales, and their magnitudes for weights of about one.
    fileprivate var scales: [(offset: Int, magnitude: Float)] {
        switch self {
        case .q4_0: [(0, 1 / 8)]
        case .q4_1: [(0, 1 / 8), (2, 1)]
        case .q5_0: [(0, 1 / 16)]
        case .q5_1: [(0, 1 / 16), (2, 1)]
        case .q8_0: [(0, 1 / 128)]
        case .q4K: [(0, 1 / 256), (2, 1 / 32)]
        case .q5K: [(0, 1 / 512), (2, 1 / 32)]
        case .q6K: [(208, 1 / 2048)]
        }
    }
}
