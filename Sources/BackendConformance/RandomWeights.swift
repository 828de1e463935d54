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
        case .float8(let size):
            return .groups(
                GroupFormat(
                    bitCount: 8, groupSize: size ?? max(inputSize, 1), scaleType: .f32, hasZeros: false, isFloat8: true)
            )
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
                // Half of the floats are below 2^-7 and the largest is 448.
                let largest = format.isFloat8 ? 16 : Float(format.middle)
                let scale = Float.random(in: 0.5...1, using: &random) * bound / largest
                format.scaleType.store(scale, to: scales, at: group)
            }
        case .blocks(let format):
            for block in 0..<inputSize / format.elementCount {
                let scales = format.unitScales.map { Float.random(in: -1...1, using: &random) * bound * $0 }
                format.storeScales(scales, to: row + block * format.byteCount)
            }
        }
    }
}
