import Backends
import Tensors

/// Matrices one below the other in the layout that kernels read (`weights.glsl`), in parts that the device can address.
struct PackedMatrix {
    /// Some of the rows.
    struct Part {
        let range: MemoryRange
        let firstRow: Int
        let rowCount: Int
    }

    let elementType: ElementType
    let inputSize: Int
    /// Rows with the padding between matrices.
    let rowCount: Int
    let parts: [Part]

    /// Rows of a tile.
    static let tile = ValueLayout.tile

    /// Columns that sixteen bytes hold.
    static func chunk(_ type: ElementType) -> Int { 16 / type.byteCount }

    /// Columns in chunks, the last of which may be padded with zeros.
    var chunkCount: Int { inputSize.dividedUp(by: Self.chunk(elementType)) }

    /// Takes memory from `pool` and fills it. Each of `tensors` is `[rows, inputSize]`, all of one element type.
    init(_ tensors: [HostTensor], maxRangeByteCount: Int, pool: MemoryPool) throws(BackendError) {
        elementType = tensors[0].elementType
        inputSize = tensors[0].shape[1]
        // Between matrices, rows are padded to whole tiles; the last tile is padded as well.
        let tileCounts = tensors.map { $0.shape[0].dividedUp(by: Self.tile) }
        let tileCount = tileCounts.reduce(0, +)
        rowCount = (tileCount - (tileCounts.last ?? 0)) * Self.tile + (tensors.last?.shape[0] ?? 0)
        let chunk = Self.chunk(elementType)
        let tileByteCount = inputSize.dividedUp(by: chunk) * Self.tile * 16
        let tilesPerPart = max(1, maxRangeByteCount / tileByteCount)
        let partCount = tileCount.dividedUp(by: tilesPerPart)

        var tiles: [(tensor: HostTensor, firstRow: Int)] = []
        for (tensor, count) in zip(tensors, tileCounts) {
            for index in 0..<count { tiles.append((tensor, index * Self.tile)) }
        }
        var parts: [Part] = []
        for index in 0..<partCount {
            // Parts of equal size, as they run one after another.
            let first = tileCount * index / partCount
            let last = tileCount * (index + 1) / partCount
            let range = try pool.allocate(byteCount: (last - first) * tileByteCount, for: .weights)
            try Self.fill(range, tiles[first..<last], tileByteCount: tileByteCount)
            let end = min(last * Self.tile, rowCount)
            parts.append(Part(range: range, firstRow: first * Self.tile, rowCount: end - first * Self.tile))
        }
        self.parts = parts
    }

    /// Packs some tiles at a time and writes them.
    private static func fill(
        _ range: MemoryRange, _ tiles: ArraySlice<(tensor: HostTensor, firstRow: Int)>, tileByteCount: Int
    ) throws(BackendError) {
        let tilesAtOnce = max(1, (4 << 20) / tileByteCount)
        let slab = UnsafeMutableRawBufferPointer.allocate(byteCount: tilesAtOnce * tileByteCount, alignment: 64)
        defer { slab.deallocate() }
        var first = tiles.startIndex
        while first < tiles.endIndex {
            let last = min(first + tilesAtOnce, tiles.endIndex)
            for index in first..<last {
                let start = (index - first) * tileByteCount
                pack(
                    tiles[index].tensor, firstRow: tiles[index].firstRow,
                    into: UnsafeMutableRawBufferPointer(rebasing: slab[start..<start + tileByteCount]))
            }
            try range.buffer.write(
                UnsafeRawBufferPointer(rebasing: slab[..<((last - first) * tileByteCount)]),
                at: range.byteOffset + (first - tiles.startIndex) * tileByteCount)
            first = last
        }
    }

    /// One tile: for each chunk of columns, sixteen bytes of each row; zeros where there is no row or column.
    static func pack(_ tensor: HostTensor, firstRow: Int, into target: UnsafeMutableRawBufferPointer) {
        guard let start = target.baseAddress else { return }
        let rowByteCount = tensor.shape[1] * tensor.elementType.byteCount
        let rowCount = min(tile, tensor.shape[0] - firstRow)
        if rowCount < tile || rowByteCount % 16 != 0 {
            start.initializeMemory(as: UInt8.self, repeating: 0, count: target.count)
        }
        tensor.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            for row in 0..<rowCount {
                let from = source + (firstRow + row) * rowByteCount
                var place = start + row * 16
                var byte = 0
                while byte + 16 <= rowByteCount {
                    place.storeBytes(
                        of: from.loadUnaligned(fromByteOffset: byte, as: SIMD4<UInt32>.self), as: SIMD4<UInt32>.self)
                    place += tile * 16
                    byte += 16
                }
                if byte < rowByteCount { place.copyMemory(from: from + byte, byteCount: rowByteCount - byte) }
            }
        }
    }
}

extension PlanMatrix {
    /// How the matrix is stored.
    var elementType: ElementType { weights.elementType }

    /// Its numbers, `[outputSize, inputSize]`. Packed ones are dequantized: no shader reads them as they are yet.
    var tensor: HostTensor {
        switch weights {
        case .dense(let tensor): tensor
        case .quantized(let matrix): matrix.dequantized(as: matrix.computeType)
        }
    }
}
