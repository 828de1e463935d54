import Backends
import Dispatch
import SharedValues
import Tensors

/// Matrices, one below the other, in the layout that kernels read, in parts that the device can address.
struct DeviceMatrix {
    /// How numbers are stored.
    enum Format: Hashable, CustomStringConvertible {
        /// As they are (`dense_weights.glsl`), in one range.
        case dense(ElementType)
        /// As codes and as scales (`quantized_weights.glsl`), in two ranges.
        case quantized(QuantizedFormat)

        /// The type or the format, for people.
        var description: String {
            switch self {
            case .dense(let type): "\(type)"
            case .quantized(let format): "\(format)"
            }
        }
    }

    /// Some of the rows.
    struct Part {
        let ranges: [MemoryRange]
        let firstRow: Int
        let rowCount: Int

        fileprivate var tiles: Range<Int> {
            firstRow / tile..<(firstRow + rowCount).dividedUp(by: tile)
        }
    }

    /// Rows of a tile, in one of the matrices.
    fileprivate struct Tile {
        let weights: LinearWeights
        let firstRow: Int
    }

    let format: Format
    let inputSize: Int
    /// Rows with the padding between matrices.
    let rowCount: Int
    let parts: [Part]

    /// Rows of a tile.
    static let tile = 32

    /// Rows of `matrices` as one, in which each but the last is padded to whole tiles.
    static func rowCount(_ matrices: [LinearWeights]) -> Int {
        matrices.dropLast().reduce(matrices.last?.outputSize ?? 0) { $0 + $1.outputSize.roundedUp(to: tile) }
    }

    /// Inputs that sixteen bytes hold.
    static func chunk(_ type: ElementType) -> Int { 16 / type.byteCount }

    /// Takes memory from `pool` for `use` and fills it through `staging`. Each of `matrices` is `[rows, inputSize]`, all stored
    /// alike. Throws `unsupported` for groups that no kernel takes.
    init(
        _ matrices: [LinearWeights], maxRangeByteCount: Int, pool: MemoryPool, for use: BufferUsage = .weights,
        staging: TileStaging = TileStaging()
    ) throws(BackendError) {
        format = try Format(matrices[0])
        inputSize = matrices[0].inputSize
        rowCount = Self.rowCount(matrices)
        // The last tile is padded as well.
        let tileCounts = matrices.map { $0.outputSize.dividedUp(by: Self.tile) }
        let byteCounts = format.tileByteCounts(inputSize: inputSize)
        parts = try format.parts(
            inputSize: inputSize, tileCount: tileCounts.reduce(0, +), rowCount: rowCount,
            maxRangeByteCount: maxRangeByteCount, pool: pool, for: use)

        var tiles: [Tile] = []
        for (weights, count) in zip(matrices, tileCounts) {
            for index in 0..<count { tiles.append(Tile(weights: weights, firstRow: index * Self.tile)) }
        }
        for part in parts {
            for (range, prefix) in zip(part.ranges, format.prefixes) where !prefix.isEmpty {
                try prefix.withUnsafeBufferPointer { words throws(BackendError) in
                    try range.buffer.write(UnsafeRawBufferPointer(words), at: range.byteOffset)
                }
            }
            try format.fill(part.ranges, tiles[part.tiles], byteCounts, staging)
        }
        for weights in matrices { weights.unload() }
    }

    /// Takes memory from `pool` for `slots` of unquantized matrices, which `write` fills.
    init(_ slots: MatrixSlots, maxRangeByteCount: Int, pool: MemoryPool) throws(BackendError) {
        format = .dense(slots.elementType)
        inputSize = slots.inputSize
        let tileCount = slots.outputSize.dividedUp(by: Self.tile) * slots.count
        rowCount = tileCount * Self.tile
        parts = try format.parts(
            inputSize: inputSize, tileCount: tileCount, rowCount: rowCount, maxRangeByteCount: maxRangeByteCount,
            pool: pool)
    }

    /// Writes `matrix`, `[outputSize, inputSize]` of any unquantized type, into slot `slot`.
    func write(_ matrix: HostTensor, slot: Int) throws(BackendError) {
        guard case .dense(let type) = format else { preconditionFailure("a slot for a quantized matrix") }
        precondition(matrix.shape.count == 2 && matrix.shape[1] == inputSize, "a slot's matrix of another shape")
        let tensor = matrix.elementType == type ? matrix : HostTensor(matrix.floats(), shape: matrix.shape, as: type)
        let byteCount = format.tileByteCounts(inputSize: inputSize)[0]
        let tileCount = matrix.shape[0].dividedUp(by: Self.tile)
        let bytes = HostMemory(byteCount: tileCount * byteCount) { bytes in
            for tile in 0..<tileCount {
                let target = UnsafeMutableRawBufferPointer(rebasing: bytes[tile * byteCount..<(tile + 1) * byteCount])
                Self.encode(tensor, firstRow: tile * Self.tile, into: target)
            }
        }
        let first = slot * tileCount
        for part in parts {
            let tiles = part.tiles.clamped(to: first..<first + tileCount)
            guard !tiles.isEmpty else { continue }
            let range = part.ranges[0]
            let written = (tiles.lowerBound - first) * byteCount..<(tiles.upperBound - first) * byteCount
            try range.buffer.write(
                UnsafeRawBufferPointer(rebasing: bytes.bytes[written]),
                at: range.byteOffset + (tiles.lowerBound - part.tiles.lowerBound) * byteCount)
        }
    }

    private init(format: Format, inputSize: Int, rowCount: Int, parts: [Part]) {
        self.format = format
        self.inputSize = inputSize
        self.rowCount = rowCount
        self.parts = parts
    }

    /// The rows of this matrix and below them, from the next whole tile on, those of `other`, which may lie in other memory.
    func above(_ other: DeviceMatrix) -> DeviceMatrix {
        precondition(format == other.format && inputSize == other.inputSize, "matrices that are stored in two ways")
        let start = rowCount.roundedUp(to: Self.tile)
        let below = other.parts.map {
            Part(ranges: $0.ranges, firstRow: start + $0.firstRow, rowCount: $0.rowCount)
        }
        return DeviceMatrix(
            format: format, inputSize: inputSize, rowCount: start + other.rowCount, parts: parts + below)
    }

    /// The bytes that a pool counts for the first `count` of `matrices`.
    static func byteCount(
        ofFirst count: Int, of matrices: [LinearWeights], maxRangeByteCount: Int
    ) throws(BackendError) -> Int {
        let format = try Format(matrices[0])
        let tileCount = count * matrices[0].outputSize.dividedUp(by: tile)
        let (inputSize, prefixes) = (matrices[0].inputSize, format.prefixes)
        return format.tileRanges(tileCount, inputSize: inputSize, maxRangeByteCount: maxRangeByteCount).reduce(0) {
            sum, part in
            zip(format.tileByteCounts(inputSize: inputSize), prefixes).reduce(sum) {
                $0 + ($1.1.count * 4 + part.count * $1.0).roundedUp(to: MemoryPool.alignment)
            }
        }
    }

    /// Encodes one tile: for each chunk of inputs, sixteen bytes of each row; zeros where there is no row or input.
    static func encode(_ tensor: HostTensor, firstRow: Int, into target: UnsafeMutableRawBufferPointer) {
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
                var destination = start + row * 16
                var byte = 0
                while byte + 16 <= rowByteCount {
                    destination.storeBytes(
                        of: from.loadUnaligned(fromByteOffset: byte, as: SIMD4<UInt32>.self), as: SIMD4<UInt32>.self)
                    destination += tile * 16
                    byte += 16
                }
                if byte < rowByteCount { destination.copyMemory(from: from + byte, byteCount: rowByteCount - byte) }
            }
        }
    }
}

extension DeviceMatrix.Format {
    /// The format in which `weights` lie on the device. Throws `unsupported`.
    fileprivate init(_ weights: LinearWeights) throws(BackendError) {
        switch weights {
        case .dense(let tensor): self = .dense(tensor.elementType)
        case .quantized(let matrix):
            self = .quantized(try QuantizedFormat(matrix.layout, inputSize: matrix.inputSize))
        }
    }

    /// Bytes of a tile in each of the ranges.
    fileprivate func tileByteCounts(inputSize: Int) -> [Int] {
        switch self {
        case .dense(let type): [inputSize.dividedUp(by: DeviceMatrix.chunk(type)) * DeviceMatrix.tile * 16]
        case .quantized(let format):
            [format.codesByteCount(inputSize: inputSize), format.scalesByteCount(inputSize: inputSize)]
        }
    }

    /// The words that each range of a part begins with.
    fileprivate var prefixes: [[UInt32]] {
        switch self {
        case .dense: [[]]
        case .quantized(let format): [[], format.scalesPrefix]
        }
    }

    /// Memory for `tileCount` tiles, of which `rowCount` rows are used, in ranges that a kernel can address.
    fileprivate func parts(
        inputSize: Int, tileCount: Int, rowCount: Int, maxRangeByteCount: Int, pool: MemoryPool,
        for use: BufferUsage = .weights
    ) throws(BackendError) -> [DeviceMatrix.Part] {
        let byteCounts = tileByteCounts(inputSize: inputSize)
        var parts: [DeviceMatrix.Part] = []
        for tiles in tileRanges(tileCount, inputSize: inputSize, maxRangeByteCount: maxRangeByteCount) {
            var ranges: [MemoryRange] = []
            for (byteCount, prefix) in zip(byteCounts, prefixes) {
                ranges.append(
                    try pool.allocate(byteCount: prefix.count * 4 + tiles.count * byteCount, for: use))
            }
            let (first, end) = (
                tiles.lowerBound * DeviceMatrix.tile, min(tiles.upperBound * DeviceMatrix.tile, rowCount)
            )
            parts.append(DeviceMatrix.Part(ranges: ranges, firstRow: first, rowCount: end - first))
        }
        return parts
    }

    /// `tileCount` tiles in parts that the device can address, of equal size, as they run one after another.
    fileprivate func tileRanges(_ tileCount: Int, inputSize: Int, maxRangeByteCount: Int) -> [Range<Int>] {
        let tilesPerPart = zip(tileByteCounts(inputSize: inputSize), prefixes).reduce(Int.max) {
            min($0, max(1, (maxRangeByteCount - $1.1.count * 4) / max($1.0, 1)))
        }
        let partCount = tileCount == 0 ? 0 : (tileCount - 1) / tilesPerPart + 1
        return (0..<partCount).map { tileCount * $0 / partCount..<tileCount * ($0 + 1) / partCount }
    }

    /// Bytes of a row.
    func rowByteCount(inputSize: Int) -> Int {
        tileByteCounts(inputSize: inputSize).reduce(0, +) / DeviceMatrix.tile
    }

    /// Encodes and writes some tiles at a time, so that the host holds only a few megabytes of them.
    fileprivate func fill(
        _ ranges: [MemoryRange], _ tiles: ArraySlice<DeviceMatrix.Tile>, _ byteCounts: [Int], _ staging: TileStaging
    ) throws(BackendError) {
        let tilesAtOnce = max(1, TileStaging.byteCount / byteCounts.reduce(0, +))
        let slabs = staging.parts(byteCounts.map { min(tilesAtOnce, tiles.count) * $0 })
        var first = tiles.startIndex
        while first < tiles.endIndex {
            let last = min(first + tilesAtOnce, tiles.endIndex)
            // Unsafe: each iteration writes its own part of the staging memory, and this thread waits for all of them.
            let ready = tiles[first..<last]
            nonisolated(unsafe) let targets = slabs
            DispatchQueue.concurrentPerform(iterations: last - first) { index in
                let tileTargets = zip(targets, byteCounts).map { slab, count in
                    UnsafeMutableRawBufferPointer(rebasing: slab[index * count..<(index + 1) * count])
                }
                encode(ready[ready.startIndex + index], into: tileTargets)
            }
            for (index, (range, (slab, count))) in zip(ranges, zip(slabs, byteCounts)).enumerated() {
                try range.buffer.write(
                    UnsafeRawBufferPointer(rebasing: slab[..<((last - first) * count)]),
                    at: range.byteOffset + prefixes[index].count * 4 + (first - tiles.startIndex) * count)
            }
            // Unquantized rows are read once and in order. Quantized ones may share pages with rows that are still to be read.
            if case .dense(let tensor) = tiles[first].weights { tensor.unload() }
            first = last
        }
    }

    private func encode(_ tile: DeviceMatrix.Tile, into targets: [UnsafeMutableRawBufferPointer]) {
        switch (self, tile.weights) {
        case (.dense, .dense(let tensor)): DeviceMatrix.encode(tensor, firstRow: tile.firstRow, into: targets[0])
        case (.quantized(let format), .quantized(let matrix)):
            QuantizedTileEncoder(matrix, format).encode(firstRow: tile.firstRow, codes: targets[0], scales: targets[1])
        default: preconditionFailure("matrices in different formats became one")
        }
    }
}
