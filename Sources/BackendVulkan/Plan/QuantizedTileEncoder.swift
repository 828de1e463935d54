import Tensors

/// Encodes stored rows of a quantized matrix, a tile at a time, in the layout that kernels read.
struct QuantizedTileEncoder {
    private let matrix: QuantizedMatrix
    private let format: QuantizedFormat

    init(_ matrix: QuantizedMatrix, _ format: QuantizedFormat) {
        self.matrix = matrix
        self.format = format
    }

    /// Writes the tile whose first row is `firstRow`; rows past the matrix's end become zeros.
    ///
    /// `codes` and `scales` have as many bytes as the format says.
    func encode(firstRow: Int, codes: UnsafeMutableRawBufferPointer, scales: UnsafeMutableRawBufferPointer) {
        let rowCount = min(QuantizedFormat.tile, matrix.outputSize - firstRow)
        let rowByteCount = matrix.rowByteCount
        guard let codes = zeroed(codes), let scales = zeroed(scales), rowCount > 0, rowByteCount > 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: rowCount * rowByteCount, alignment: 16) { rows in
            guard let rows = rows.baseAddress else { return }
            matrix.read(firstRow..<firstRow + rowCount, into: rows)
            for lane in 0..<rowCount {
                let row = UnsafeRawPointer(rows + lane * rowByteCount)
                switch matrix.layout {
                case .groups(let stored): encode(row, stored, lane: lane, codes, scales)
                case .blocks(let stored):
                    if let grid = stored.grid {
                        encode(row, stored, grid, lane: lane, codes, scales)
                    } else {
                        encode(row, stored, lane: lane, codes, scales)
                    }
                }
            }
        }
    }

    private func zeroed(_ bytes: UnsafeMutableRawBufferPointer) -> UnsafeMutableRawPointer? {
        bytes.baseAddress?.initializeMemory(as: UInt8.self, repeating: 0, count: bytes.count)
        return bytes.baseAddress
    }

    /// Stores the words of slice `slice` of row `lane`; `count` is less than `bitCount` where the row ends.
    @inline(__always)
    private func store(
        _ words: UnsafeRawPointer, count: Int, slice: Int, lane: Int, _ codes: UnsafeMutableRawPointer
    ) {
        let unit = format.unit
        let start = slice &* format.bitCount &* QuantizedFormat.tile &+ lane &* unit
        for word in 0..<count {
            let index = start &+ word / unit &* unit &* QuantizedFormat.tile &+ word % unit
            (codes + index &* 4).storeBytes(
                of: words.loadUnaligned(fromByteOffset: word &* 4, as: UInt32.self), as: UInt32.self)
        }
    }

    /// Groups: a slice of the stored stream of bits is a slice of the device's.
    private func encode(
        _ row: UnsafeRawPointer, _ stored: GroupFormat, lane: Int, _ codes: UnsafeMutableRawPointer,
        _ scales: UnsafeMutableRawPointer
    ) {
        let inputSize = matrix.inputSize
        let (zeroOffset, scaleOffset) = (
            stored.zeroByteOffset(inputSize: inputSize), stored.scaleByteOffset(inputSize: inputSize)
        )
        for slice in 0..<format.sliceCount(inputSize: inputSize) {
            let first = slice * format.bitCount
            store(
                row + first * 4, count: min(format.bitCount, zeroOffset / 4 - first), slice: slice, lane: lane, codes)
        }
        var zeros = BitReader(row + zeroOffset, bitCount: format.bitCount)
        let scaleSize = format.scaleType.byteCount
        for group in 0..<stored.groupCount(inputSize: inputSize) {
            let target = scales + group * format.groupByteCount
            (target + lane * scaleSize).copyMemory(from: row + scaleOffset + group * scaleSize, byteCount: scaleSize)
            guard format.scaling == .zeros else { continue }
            let bit = lane * format.zeroBitCount
            let word = target + QuantizedFormat.tile * scaleSize + bit / 32 * 4
            word.storeBytes(of: word.load(as: UInt32.self) | zeros.next() << UInt32(bit % 32), as: UInt32.self)
        }
    }

    /// Blocks: they are taken apart first.
    private func encode(
        _ row: UnsafeRawPointer, _ stored: BlockFormat, lane: Int, _ codes: UnsafeMutableRawPointer,
        _ scales: UnsafeMutableRawPointer
    ) {
        let (elementCount, slice) = (stored.elementCount, QuantizedFormat.slice)
        let groupsPerBlock = elementCount / format.codes.groupSize
        let outer = scales + format.groupCount(inputSize: matrix.inputSize) * format.groupByteCount
        withUnsafeTemporaryAllocation(byteCount: elementCount + slice + 64 + 4, alignment: 16) { memory in
            guard let start = memory.baseAddress else { return }
            let words = start + elementCount
            let parts = BlockParts(
                codes: start.assumingMemoryBound(to: UInt8.self), scales: words + slice, outer: words + slice + 64)
            for block in 0..<matrix.inputSize / elementCount {
                stored.unpack(row + block * stored.byteCount, to: parts)
                for part in 0..<elementCount / slice {
                    var writer = BitWriter(words, bitCount: format.bitCount)
                    for index in 0..<slice { writer.append(UInt32(parts.codes[part &* slice &+ index])) }
                    writer.finish()
                    store(
                        words, count: format.bitCount, slice: block * (elementCount / slice) + part, lane: lane, codes)
                }
                let size = format.codes.groupByteCount
                for group in 0..<groupsPerBlock {
                    let target = scales + (block * groupsPerBlock + group) * format.groupByteCount
                    (target + lane * size).copyMemory(from: parts.scales + group * size, byteCount: size)
                }
                let outerSize = format.codes.outerByteCount
                (outer + block * format.outerByteCount + lane * outerSize).copyMemory(
                    from: parts.outer, byteCount: outerSize)
            }
        }
    }

    /// Rows of a grid: words of indices and signs, and beside the scales what is left of the indices.
    private func encode(
        _ row: UnsafeRawPointer, _ stored: BlockFormat, _ grid: GridFormat, lane: Int,
        _ codes: UnsafeMutableRawPointer, _ scales: UnsafeMutableRawPointer
    ) {
        let indexCount = QuantizedFormat.slice / grid.inputsPerIndex
        // IQ1's signs lie above the upper bits of each index.
        let extraWidth = grid.upperBitCount + (grid.hasSigns ? 0 : 1)
        let (extraByteCount, sliceByteCount) = (
            format.extraBitCount / 8, format.groupByteCount * grid.groupsPerSlice
        )
        let outer = scales + format.groupCount(inputSize: matrix.inputSize) * format.groupByteCount
        var block = GridBlock()
        for number in 0..<matrix.inputSize / stored.elementCount {
            block.read(row + number * stored.byteCount, grid)
            for slice in 0..<8 {
                var words = SIMD4<UInt32>()
                var extra: UInt32 = 0
                for index in 0..<indexCount {
                    let value = UInt32(block.indices[slice &* indexCount &+ index])
                    words[index / 4] |= (value & 0xFF) << UInt32(index % 4 &* 8)
                    extra |= (value >> 8) << UInt32(extraWidth &* index)
                }
                for octet in 0..<4 {
                    let signs = UInt32(block.signs[4 &* slice &+ octet])
                    if grid.hasSigns {
                        words[format.bitCount &- 1] |= signs << UInt32(8 &* octet)
                    } else {
                        extra |= signs << UInt32(extraWidth &* octet &+ grid.upperBitCount)
                    }
                }
                withUnsafeBytes(of: words) { words in
                    guard let words = words.baseAddress else { return }
                    store(words, count: format.bitCount, slice: 8 * number + slice, lane: lane, codes)
                }
                let target = scales + (8 * number + slice) * sliceByteCount
                let first = block.scales[slice &* grid.groupsPerSlice]
                let second = grid.groupsPerSlice == 2 ? block.scales[2 &* slice &+ 1] << 4 : 0
                target.storeBytes(of: first | second, toByteOffset: lane, as: UInt8.self)
                withUnsafeBytes(of: extra.littleEndian) { bytes in
                    guard let bytes = bytes.baseAddress else { return }
                    (target + QuantizedFormat.tile + lane * extraByteCount).copyMemory(
                        from: bytes, byteCount: extraByteCount)
                }
            }
            (outer + number * format.outerByteCount + lane * 2).storeBytes(
                of: block.outer.littleEndian, as: UInt16.self)
        }
    }
}
