import CPUKernels
import SharedValues
import Testing

/// Random stored rows of groups, prepacked, with input rows.
private struct QuantizedCase {
    let matrix: quire_quantized
    let rowByteCount: Int
    let stored: [UInt8]
    let inputs: [Float]
    let bias: [Float]
    let rowCount: Int
    private let sliceMaxima: [Float]
    private(set) var prepacked: [UInt8]

    init(bits: Int, groupSize: Int, n: Int, k: Int, rowCount: Int) {
        var numbers = Numbers(seed: UInt64(bits * 1000 + k))
        let groupCount = k.dividedUp(by: groupSize)
        let scaling = quire_scaling.zeros
        matrix = quire_quantized(
            n: n, k: k, bits: bits, group_size: groupSize, scaling: scaling, scale_dtype: .f16)
        self.rowCount = rowCount
        let words = { (count: Int) in (count * bits + 31) / 32 * 4 }
        let scaleOffset = words(k) + words(groupCount)
        rowByteCount = scaleOffset + (groupCount * 2 + 3) / 4 * 4
        var stored = (0..<n * rowByteCount).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
        for row in 0..<n {
            for group in 0..<groupCount {
                let bits = Float16(numbers.floats(1)[0] / Float(1 << bits)).bitPattern
                let offset = row * rowByteCount + scaleOffset + group * 2
                (stored[offset], stored[offset + 1]) = (UInt8(bits & 0xFF), UInt8(bits >> 8))
            }
        }
        self.stored = stored
        let inputs = numbers.floats(rowCount * k)
        self.inputs = inputs
        sliceMaxima = (0..<rowCount).flatMap { row in
            stride(from: 0, to: k, by: 32).map { first in
                inputs[(row * k + first)..<(row * k + min(first + 32, k))].reduce(0) { max($0, abs($1)) }
            }
        }
        bias = numbers.floats(n)
        prepacked = []
        prepacked = prepack(panels: Array(0..<quire_panel_count(n)))
    }

    private func offset(_ panel: Int) -> Int { panel * 64 * rowByteCount }

    /// Every panel, prepacked in the given order over bytes that are not zero.
    func prepack(panels: [Int]) -> [UInt8] {
        withUnsafePointer(to: matrix) { matrix in
            let byteCount = quire_panel_count(matrix.pointee.n) * quire_quantized_panel_byte_count(matrix)
            var target = [UInt8](repeating: 0xAA, count: byteCount)
            for panel in panels {
                stored.withUnsafeBytes { rows in
                    guard let start = rows.baseAddress else { return }
                    quire_prepack_quantized(matrix, .groups, start + offset(panel), rowByteCount, &target, panel)
                }
            }
            return target
        }
    }

    /// Rows `first ..< first + m` of the product for the given panels; numbers that are not written stay 777.
    func run(
        _ product: QuantizedProduct, first: Int = 0, m: Int, panels: Range<Int>? = nil, withBias: Bool = false
    ) -> [Float] {
        let (n, k) = (matrix.n, matrix.k)
        var y = [Float](repeating: 777, count: m * n)
        product.run(
            matrix, prepacked: prepacked, rows: Array(inputs[(first * k)..<((first + m) * k)]), m: m,
            bias: withBias ? bias : nil, panels: panels ?? 0..<quire_panel_count(n), y: &y)
        return y
    }

    /// The largest input of the slice of 32 that input `i` is in.
    func largest(row: Int, near i: Int) -> Float { sliceMaxima[row * ((matrix.k + 31) / 32) + i / 32] }

    /// The weights row by row, as `embed_quantized` gives them.
    func weights(_ table: KernelTable) -> [Float] {
        var rows = [Float](repeating: 777, count: matrix.n * matrix.k)
        withUnsafePointer(to: matrix) { matrix in
            let ids = (0..<Int32(matrix.pointee.n)).map { $0 }
            table.kernels.embed_quantized(matrix, prepacked, ids, ids.count, 1, &rows, matrix.pointee.k)
        }
        return rows
    }
}

@Suite struct QuantizedTests {
    private static let sizes = [2, 3, 4, 8]

    @Test("outputs agree with doubles and are the same bits in every batch", arguments: sizes, [32, 64, 160])
    func agreesWithDoubles(bits: Int, groupSize: Int) {
        for (n, k) in [(1, 1), (65, 160), (130, 77)] {
            let quantized = QuantizedCase(bits: bits, groupSize: groupSize, n: n, k: k, rowCount: 50)
            for product in QuantizedProduct.available {
                let weights = quantized.weights(product.table)
                let all = quantized.run(product, m: 50)
                for index in all.indices {
                    let (row, column) = (index / n, index % n)
                    var sum = 0.0
                    var magnitude = 0.0
                    var rounding = 0.0
                    for i in 0..<k {
                        let weight = Double(weights[column * k + i])
                        let term = Double(quantized.inputs[row * k + i]) * weight
                        sum += term
                        magnitude += abs(term)
                        rounding += abs(weight) * product.roundingError(largest: quantized.largest(row: row, near: i))
                    }
                    // Codes and zeros are multiplied apart, each up to 2^bits times as large as their difference.
                    let tolerance = Double(1 << bits) * 64 * 0x1p-24 * (magnitude + 1 / Double(1 << bits))
                    guard abs(Double(all[index]) - sum) > tolerance + rounding else { continue }
                    Issue.record("\(product) n \(n) row \(row) column \(column): \(all[index]) is not \(sum)")
                    break
                }
                for m in [1, 2, 3, 4, 5, 6, 7, 13, 18, 19, 48, 49] {
                    #expect(
                        bitPatterns(quantized.run(product, m: m)) == bitPatterns(all[0..<(m * n)]),
                        "\(product), \(m) rows")
                }
                #expect(bitPatterns(quantized.run(product, first: 49, m: 1)) == bitPatterns(all[(49 * n)...]))
            }
        }
    }

    @Test("rows come out of panels as they were stored", arguments: sizes)
    func rowsComeBack(bits: Int) {
        let (n, k) = (70, 77)
        let quantized = QuantizedCase(bits: bits, groupSize: 32, n: n, k: k, rowCount: 1)
        func field(_ row: Int, _ byteOffset: Int, _ index: Int) -> Int {
            (0..<bits).reduce(0) { value, bit in
                let offset = index * bits + bit
                let byte = quantized.stored[row * quantized.rowByteCount + byteOffset + offset / 8]
                return value | Int(byte >> UInt8(offset % 8) & 1) << bit
            }
        }
        let zeroOffset = (k * bits + 31) / 32 * 4
        let scaleOffset = zeroOffset + (3 * bits + 31) / 32 * 4
        for table in KernelTable.available {
            let weights = quantized.weights(table)
            for (row, i) in [(0, 0), (0, 76), (63, 31), (64, 32), (69, 64), (5, 40)] {
                let offset = row * quantized.rowByteCount + scaleOffset + i / 32 * 2
                let scale = Float16(
                    bitPattern: UInt16(quantized.stored[offset]) | UInt16(quantized.stored[offset + 1]) << 8)
                let code = field(row, 0, i) - field(row, zeroOffset, i / 32)
                #expect(weights[row * k + i] == Float(code) * Float(scale), "\(table): row \(row), input \(i)")
            }
        }
    }

    @Test("panels of other calls stay untouched, and may be prepacked in any order", arguments: sizes)
    func panelsStayApart(bits: Int) {
        let quantized = QuantizedCase(bits: bits, groupSize: 32, n: 200, k: 64, rowCount: 9)
        #expect(quantized.prepack(panels: [2, 0, 3, 1]) == quantized.prepacked)
        for product in QuantizedProduct.available {
            let whole = quantized.run(product, m: 9)
            for panels in [0..<1, 1..<3, 3..<4, 2..<2] {
                let part = quantized.run(product, m: 9, panels: panels)
                let columns = (panels.lowerBound * 64)..<min(panels.upperBound * 64, 200)
                let same = part.indices.allSatisfy { i in
                    part[i].bitPattern == (columns.contains(i % 200) ? whole[i].bitPattern : Float(777).bitPattern)
                }
                #expect(same, "\(product), panels \(panels)")
            }
        }
    }

    @Test("bias is added last", arguments: [1, 9]) func biasIsAddedLast(rowCount: Int) {
        let quantized = QuantizedCase(bits: 4, groupSize: 32, n: 70, k: 64, rowCount: rowCount)
        for product in QuantizedProduct.available {
            let plain = quantized.run(product, m: rowCount)
            let expected = plain.indices.map { plain[$0] + quantized.bias[$0 % 70] }
            #expect(bitPatterns(quantized.run(product, m: rowCount, withBias: true)) == bitPatterns(expected))
        }
    }

    @Test("columns are brought into order and rounded once", arguments: KernelTable.available)
    func reordering(table: KernelTable) {
        var numbers = Numbers(seed: 3)
        let rows = numbers.floats(3 * 37)
        let order = numbers.permutation(37)
        for type in elementTypes {
            var reordered = [UInt8](repeating: 0, count: 3 * 37 * byteCount(type))
            table.kernels.reorder_from_f32(type, rows, 37, order, &reordered, 37, 3, 37)
            let expected = Stored((0..<3 * 37).map { rows[$0 / 37 * 37 + Int(order[$0 % 37])] }, as: type)
            #expect(reordered == expected.bytes)
        }
    }

    @Test("a prepacked matrix takes what its numbers take, within three percent", arguments: sizes, [32, 64, 128])
    func prepackedBytes(bits: Int, groupSize: Int) {
        let matrix = quire_quantized(
            n: 4096, k: 4096, bits: bits, group_size: groupSize, scaling: .zeros, scale_dtype: .f16)
        let byteCount = withUnsafePointer(to: matrix) { 64 * quire_quantized_panel_byte_count($0) }
        let bitsOfAGroup = groupSize * bits + 16 + bits
        let arithmetic = 4096 * (4096 / groupSize) * bitsOfAGroup / 8
        #expect(byteCount >= arithmetic && Double(byteCount) <= 1.03 * Double(arithmetic))
    }
}

/// Bit patterns, under a name that the tests' own `bits` leaves free.
private func bitPatterns(_ values: some Sequence<Float>) -> [UInt32] { values.map(\.bitPattern) }
