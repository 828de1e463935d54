import CPUKernels
import SharedValues
import Testing

/// A matrix, its prepacked form and input rows that are exact in bf16, so that every table computes with the same numbers.
private struct LinearCase {
    let k: Int, n: Int, rows: Int
    let type: quire_dtype
    let weights: Stored
    let inputs: Stored
    let bias: [Float]
    var prepacked: [UInt8]

    init(type: quire_dtype, k: Int, n: Int, rows: Int, seed: UInt64 = 1) {
        (self.k, self.n, self.rows, self.type) = (k, n, rows, type)
        var numbers = Numbers(seed: seed)
        weights = Stored(numbers.floats(n * k), as: type)
        inputs = Stored(numbers.floats(rows * k), as: .bf16)
        bias = numbers.floats(n)
        prepacked = [UInt8](repeating: 0xAA, count: quire_prepacked_byte_count(type, n, k))
        quire_prepack(type, weights.bytes, k, n, k, &prepacked, 0, quire_panel_count(n))
    }

    /// Rows `first ..< first + m` of the product, for the given panels; numbers that are not written stay 777.
    func run(
        _ table: KernelTable, first: Int = 0, m: Int, panels: Range<Int>? = nil, withBias: Bool = false
    ) -> [Float] {
        let (linear, activation) = table.linear(type)
        let stride = activation == .bf16 ? k.roundedUp(to: 2) : k
        let rows = Array(inputs.values[(first * k)..<((first + m) * k)])
        var converted = [UInt8](repeating: 0xFF, count: m * stride * byteCount(activation))
        table.kernels.convert_from_f32(activation, rows, k, &converted, stride, m, k, stride == k ? 0 : 1)
        var y = [Float](repeating: 777, count: m * n)
        let range = panels ?? 0..<quire_panel_count(n)
        bias.withUnsafeBufferPointer { bias in
            linear(
                prepacked, converted, stride, &y, n, m, k, n, withBias ? bias.baseAddress : nil, range.lowerBound,
                range.upperBound)
        }
        return y
    }

    /// The product in double, and the sum of the terms' magnitudes, which scales the rounding error.
    func expected() -> (values: [Double], magnitudes: [Double]) {
        var values: [Double] = []
        var magnitudes: [Double] = []
        inputs.values.withUnsafeBufferPointer { x in
            weights.values.withUnsafeBufferPointer { w in
                for r in 0..<rows {
                    for c in 0..<n {
                        var sum = 0.0
                        var magnitude = 0.0
                        for i in 0..<k {
                            let term = Double(x[r * k + i]) * Double(w[c * k + i])
                            sum += term
                            magnitude += abs(term)
                        }
                        values.append(sum)
                        magnitudes.append(magnitude)
                    }
                }
            }
        }
        return (values, magnitudes)
    }
}

@Suite struct LinearTests {
    static let rowCounts = Array(1...13) + [16, 33]

    @Test(arguments: elementTypes, [1, 3, 17, 64, 77, 576])
    func agreesWithDoublesAndGivesEachRowTheSameBitsInEveryBatch(type: quire_dtype, k: Int) {
        for n in [1, 63, 64, 65, 130] {
            let rows = 33
            let linear = LinearCase(type: type, k: k, n: n, rows: rows)
            let (expected, magnitudes) = linear.expected()
            // Rounding errors of a chain of k additions grow like sqrt(k) in units of 2^-24 of the terms' magnitude.
            let tolerance = (4 + Double(k).squareRoot()) * 0x1p-24
            for table in KernelTable.available {
                let all = linear.run(table, m: rows)
                for i in all.indices {
                    let error = abs(Double(all[i]) - expected[i])
                    guard error > tolerance * magnitudes[i] else { continue }
                    Issue.record("\(table) n \(n) row \(i / n) column \(i % n): \(all[i]) is not \(expected[i])")
                    break
                }
                for m in Self.rowCounts {
                    let some = linear.run(table, m: m)
                    #expect(bits(some) == bits(all[0..<(m * n)]), "\(table) n \(n): \(m) rows against \(rows)")
                }
                let alone = linear.run(table, first: 29, m: 1)
                #expect(bits(alone) == bits(all[(29 * n)..<(30 * n)]), "\(table) n \(n): row 29 alone")
            }
        }
    }

    @Test(arguments: elementTypes, KernelTable.available)
    func rowMajorProductsAgreeWithDoublesAndWriteTheirOutputsOnly(type: quire_dtype, table: KernelTable) {
        for (k, n, outputs) in [(1, 1, 0..<1), (77, 16, 0..<16), (576, 9, 3..<8), (64, 5, 2..<2)] {
            let linear = LinearCase(type: type, k: k, n: n, rows: 3)
            let (expected, magnitudes) = linear.expected()
            var y = [Float](repeating: 777, count: 3 * n)
            table.kernels.linear_row_major(
                type, linear.weights.bytes, linear.inputs.values, k, &y, n, 3, k, outputs.lowerBound,
                outputs.upperBound)
            let tolerance = (4 + Double(k).squareRoot()) * 0x1p-24
            for i in y.indices {
                if outputs.contains(i % n) {
                    #expect(abs(Double(y[i]) - expected[i]) <= tolerance * magnitudes[i], "k \(k) n \(n) at \(i)")
                } else {
                    #expect(y[i] == 777, "k \(k) n \(n) at \(i)")
                }
            }
        }
    }

    @Test(arguments: elementTypes, KernelTable.available)
    func panelsOfOtherCallsStayUntouched(type: quire_dtype, table: KernelTable) {
        let linear = LinearCase(type: type, k: 33, n: 200, rows: 7)
        let whole = linear.run(table, m: 7)
        for panels in [0..<1, 1..<3, 3..<4, 2..<2] {
            let part = linear.run(table, m: 7, panels: panels)
            let columns = (panels.lowerBound * 64)..<min(panels.upperBound * 64, 200)
            let same = part.indices.allSatisfy { i in
                part[i].bitPattern == (columns.contains(i % 200) ? whole[i].bitPattern : Float(777).bitPattern)
            }
            #expect(same, "panels \(panels)")
        }
    }

    @Test(arguments: elementTypes, KernelTable.available)
    func biasIsAddedLast(type: quire_dtype, table: KernelTable) {
        let linear = LinearCase(type: type, k: 5, n: 70, rows: 8)
        let plain = linear.run(table, m: 8)
        let biased = linear.run(table, m: 8, withBias: true)
        let expected = plain.indices.map { plain[$0] + linear.bias[$0 % 70] }
        #expect(bits(biased) == bits(expected))
    }

    @Test(arguments: elementTypes)
    func prepackedNumbersStandWhereTheLayoutSays(type: quire_dtype) {
        for (n, k) in [(1, 1), (65, 3), (130, 34)] {
            let linear = LinearCase(type: type, k: k, n: n, rows: 1)
            let size = byteCount(type)
            let depth = type == .bf16 ? k.roundedUp(to: 2) : k
            #expect(linear.prepacked.count == quire_panel_count(n) * depth * 64 * size)
            for column in 0..<(quire_panel_count(n) * 64) {
                for i in 0..<depth {
                    let lane = column % 64
                    let inPanel = type == .bf16 ? (i / 2 * 64 + lane) * 2 + i % 2 : i * 64 + lane
                    let at = (column / 64 * depth * 64 + inPanel) * size
                    let source = (column * k + i) * size
                    let exists = column < n && i < k
                    let expected =
                        exists
                        ? Array(linear.weights.bytes[source..<(source + size)]) : [UInt8](repeating: 0, count: size)
                    #expect(Array(linear.prepacked[at..<(at + size)]) == expected, "column \(column), k \(i)")
                }
            }
        }
    }

    @Test(arguments: elementTypes)
    func packingByRangesGivesTheSameBytes(type: quire_dtype) {
        let linear = LinearCase(type: type, k: 37, n: 200, rows: 1)
        var prepacked = [UInt8](repeating: 0x55, count: linear.prepacked.count)
        for panels in [2..<4, 0..<1, 1..<2] {
            quire_prepack(type, linear.weights.bytes, 37, 200, 37, &prepacked, panels.lowerBound, panels.upperBound)
        }
        #expect(prepacked == linear.prepacked)
    }

    @Test(arguments: elementTypes, KernelTable.available)
    func rowsOfPrepackedEmbeddingsComeBack(type: quire_dtype, table: KernelTable) {
        for (n, k) in [(1, 1), (130, 35), (70, 64)] {
            let linear = LinearCase(type: type, k: k, n: n, rows: 1)
            let ids = [0, n - 1, n / 2].map { Int32($0) }
            var fromPrepacked = [Float](repeating: 777, count: ids.count * (k + 1))
            var fromRows = fromPrepacked
            table.kernels.embed_panels(type, linear.prepacked, ids, ids.count, k, 1.5, &fromPrepacked, k + 1)
            table.kernels.embed(type, linear.weights.bytes, k, ids, ids.count, k, 1.5, &fromRows, k + 1)
            var expected: [Float] = []
            for id in ids {
                let start = Int(id) * k
                expected += linear.weights.values[start..<(start + k)].map { $0 * 1.5 } + [777]
            }
            #expect(bits(fromPrepacked) == bits(expected))
            #expect(bits(fromRows) == bits(expected))
        }
    }
}
