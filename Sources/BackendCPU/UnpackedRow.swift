import Tensors

/// A row of blocks as it is handed over for prepacking (`quire_stored_rows`): codes, or indices of a grid with the highest
/// bits of codes; then the scales of groups; then the outer scales.
struct UnpackedRow {
    private let blocks: BlockFormat
    private let inputSize: Int
    private let scaleByteOffset: Int
    private let outerByteOffset: Int
    let byteCount: Int

    /// A row of `inputSize` numbers.
    init(_ blocks: BlockFormat, inputSize: Int) {
        let format = blocks.codeFormat
        self.blocks = blocks
        self.inputSize = inputSize
        scaleByteOffset =
            blocks.gridValues == nil ? inputSize : inputSize / Self.inputsPerIndex(blocks) * 2 + inputSize / 8
        outerByteOffset = scaleByteOffset + inputSize / format.groupSize * format.groupByteCount
        let outerCount = format.outerByteCount == 0 ? 0 : inputSize / CodeFormat.outerGroupSize
        byteCount = outerByteOffset + outerCount * format.outerByteCount
    }

    private static func inputsPerIndex(_ blocks: BlockFormat) -> Int { blocks.grid?.inputsPerIndex ?? 8 }

    /// Unpacks the stored row `row` to `target`, `byteCount` bytes.
    func unpack(_ row: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
        let format = blocks.codeFormat
        let scalesOfBlock = blocks.elementCount / format.groupSize * format.groupByteCount
        for block in 0..<inputSize / blocks.elementCount {
            let source = row + block * blocks.byteCount
            let first = block * blocks.elementCount
            let scales = target + scaleByteOffset + block * scalesOfBlock
            let outer = target + outerByteOffset + block * format.outerByteCount
            switch blocks.gridValues {
            case nil:
                blocks.unpack(
                    source,
                    to: BlockParts(
                        codes: (target + first).assumingMemoryBound(to: UInt8.self), scales: scales, outer: outer))
            case .ternary: unpackTernary(source, indices: target + first / 8 * 2, scales: scales, outer: outer)
            case .signed, .shifted: unpackGrid(source, first: first, to: target, scales: scales, outer: outer)
            }
        }
    }

    /// One block of indices, for each eight inputs their highest bits, `s` of the groups, and the scale of all.
    private func unpackGrid(
        _ block: UnsafeRawPointer, first: Int, to target: UnsafeMutableRawPointer, scales: UnsafeMutableRawPointer,
        outer: UnsafeMutableRawPointer
    ) {
        guard let grid = blocks.grid else { return }
        let inputs = grid.inputsPerIndex
        let indices = target + first / inputs * 2
        let highest = target + inputSize / inputs * 2 + first / 8
        var parts = GridBlock()
        parts.read(block, grid)
        for index in 0..<blocks.elementCount / inputs {
            indices.storeBytes(of: parts.indices[index].littleEndian, toByteOffset: index * 2, as: UInt16.self)
        }
        for octet in 0..<blocks.elementCount / 8 {
            highest.storeBytes(of: parts.signs[octet], toByteOffset: octet, as: UInt8.self)
        }
        for group in 0..<8 * grid.groupsPerSlice {
            scales.storeBytes(of: parts.scales[group], toByteOffset: group, as: UInt8.self)
        }
        outer.storeBytes(of: parts.outer.littleEndian, as: UInt16.self)
    }

    /// One block of ternary codes, eight of them as one index.
    private func unpackTernary(
        _ block: UnsafeRawPointer, indices: UnsafeMutableRawPointer, scales: UnsafeMutableRawPointer,
        outer: UnsafeMutableRawPointer
    ) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: blocks.elementCount) { codes in
            guard let start = codes.baseAddress else { return }
            blocks.unpack(block, to: BlockParts(codes: start, scales: scales, outer: outer))
            for octet in 0..<blocks.elementCount / 8 {
                let index = Ternary.index(start + octet * 8)
                indices.storeBytes(of: index.littleEndian, toByteOffset: octet * 2, as: UInt16.self)
            }
        }
    }
}
