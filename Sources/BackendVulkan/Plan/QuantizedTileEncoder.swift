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
                case .blocks(let stored): encode(row, stored, lane: lane, codes, scales)
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
        for group in 0..<format.groupCount(inputSize: inputSize) {
            let target = scales + group * format.groupByteCount
            (target + lane * scaleSize).copyMemory(from: row + scaleOffset + group * scaleSize, byteCount: scaleSize)
            guard format.scaling == .zeros else { continue }
            let bit = lane * format.zeroBitCount
            let word = target + format.scaleByteCount + bit / 32 * 4
            word.storeBytes(of: word.load(as: UInt32.self) | zeros.next() << UInt32(bit % 32), as: UInt32.self)
        }
    }

    /// Blocks: codes are taken out of ggml's order first.
    private func encode(
        _ row: UnsafeRawPointer, _ stored: BlockFormat, lane: Int, _ codes: UnsafeMutableRawPointer,
        _ scales: UnsafeMutableRawPointer
    ) {
        let slicesPerBlock = stored.elementCount / QuantizedFormat.slice
        withUnsafeTemporaryAllocation(byteCount: QuantizedFormat.slice * 2, alignment: 16) { room in
            guard let numbers = room.baseAddress else { return }
            let words = numbers + QuantizedFormat.slice
            for block in 0..<matrix.inputSize / stored.elementCount {
                let source = row + block * stored.byteCount
                for part in 0..<slicesPerBlock {
                    stored.unpackCodes(source, slice: part, to: numbers.assumingMemoryBound(to: UInt8.self))
                    var writer = BitWriter(words, bitCount: format.bitCount)
                    for index in 0..<QuantizedFormat.slice {
                        writer.append(UInt32(numbers.load(fromByteOffset: index, as: UInt8.self)))
                    }
                    writer.finish()
                    store(
                        words, count: format.bitCount, slice: block * slicesPerBlock + part, lane: lane, codes)
                }
                stored.copyScales(
                    source, block: block, lane: lane, to: scales,
                    outer: scales + format.groupCount(inputSize: matrix.inputSize) * format.groupByteCount, format)
            }
        }
    }
}

extension BlockFormat {
    /// The 32 codes of slice `slice` of a block, in the order of their inputs, as unsigned numbers.
    func unpackCodes(_ block: UnsafeRawPointer, slice: Int, to target: UnsafeMutablePointer<UInt8>) {
        @inline(__always)
        func byte(_ offset: Int) -> UInt8 { block.load(fromByteOffset: offset, as: UInt8.self) }
        /// Low nibbles are elements 0 to 15, high ones 16 to 31; `fifth`, where there is one, has their fifth bits.
        @inline(__always)
        func nibbles(_ offset: Int, fifth: Int?) {
            let bits = fifth.map { block.loadUnaligned(fromByteOffset: $0, as: UInt32.self) } ?? 0
            for index in 0..<16 {
                let pair = byte(offset &+ index)
                target[index] = pair & 15 | UInt8(truncatingIfNeeded: bits >> UInt32(index) & 1) << 4
                target[index &+ 16] = pair >> 4 | UInt8(truncatingIfNeeded: bits >> UInt32(index &+ 16) & 1) << 4
            }
        }
        switch self {
        case .q4_0: nibbles(2, fifth: nil)
        case .q4_1: nibbles(4, fifth: nil)
        case .q5_0: nibbles(6, fifth: 2)
        case .q5_1: nibbles(8, fifth: 4)
        case .q8_0:
            // Signed bytes, counted from their middle.
            for index in 0..<32 { target[index] = byte(2 &+ index) ^ 0x80 }
        case .q4K:
            let (offset, shift) = (16 &+ slice / 2 &* 32, UInt8(slice % 2 &* 4))
            for index in 0..<32 { target[index] = byte(offset &+ index) >> shift & 15 }
        case .q5K:
            let (offset, shift) = (48 &+ slice / 2 &* 32, UInt8(slice % 2 &* 4))
            for index in 0..<32 {
                target[index] =
                    byte(offset &+ index) >> shift & 15 | (byte(16 &+ index) >> UInt8(slice) & 1) << 4
            }
        case .q6K:
            let (part, group) = (slice / 4, slice % 4)
            let (offset, shift) = (64 &* part &+ group % 2 &* 32, UInt8(group / 2 &* 4))
            for index in 0..<32 {
                let high = byte(128 &+ 32 &* part &+ index) >> UInt8(2 &* group) & 3
                target[index] = byte(offset &+ index) >> shift & 15 | high << 4
            }
        }
    }

    /// Copies a block's scales to those of row `lane`: the scales of its groups, and its own to `outer`.
    fileprivate func copyScales(
        _ source: UnsafeRawPointer, block: Int, lane: Int, to scales: UnsafeMutableRawPointer,
        outer: UnsafeMutableRawPointer, _ format: QuantizedFormat
    ) {
        let groups = scales + block * (elementCount / (format.groupSize ?? elementCount)) * format.groupByteCount
        switch self {
        case .q4_0, .q5_0, .q8_0: (groups + lane * 2).copyMemory(from: source, byteCount: 2)
        case .q4_1, .q5_1: (groups + lane * 4).copyMemory(from: source, byteCount: 4)
        case .q4K, .q5K:
            (outer + block * format.outer.byteCount + lane * 4).copyMemory(from: source, byteCount: 4)
            for group in 0..<8 {
                let pair = Self.scaleAndMinimum(source + 4, group)
                let target = groups + group * format.groupByteCount + lane * 2
                target.storeBytes(of: pair.scale, as: UInt8.self)
                target.storeBytes(of: pair.minimum, toByteOffset: 1, as: UInt8.self)
            }
        case .q6K:
            (outer + block * format.outer.byteCount + lane * 2).copyMemory(from: source + 208, byteCount: 2)
            for group in 0..<16 {
                (groups + group * format.groupByteCount + lane).copyMemory(from: source + 192 + group, byteCount: 1)
            }
        }
    }
}
