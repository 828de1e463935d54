import CPUKernels
import Testing

/// A record of 32 numbers as `quantize` writes it, read apart.
private struct Record {
    let scale: Float
    /// Of both halves, and of all.
    let sums: [Float]
    /// What each number became, in units of the scale.
    let integers: [Int]

    init(_ bytes: ArraySlice<UInt8>, limbCount: Int, isPairs: Bool) {
        let bytes = Array(bytes)
        func word(_ index: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[index * 4 + $1]) << UInt32(8 * $1) } }
        let header = (0..<4).map { Float(bitPattern: word($0)) }
        scale = header[0]
        sums = Array(header[1...])
        if isPairs {
            // The first two bytes as one number, and then the third.
            integers = (0..<32).map { input in
                (0..<(limbCount + 1) / 2).reduce(0) { value, part in
                    let offset = 16 + part * 64 + input * 2
                    return value * 128 + Int(Int16(bitPattern: UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8))
                }
            }
            return
        }
        // Of each eight inputs a word holds 0, 4, 1 and 5, the next 2, 6, 3 and 7.
        let offsets = [0, 2, 4, 6, 1, 3, 5, 7]
        integers = (0..<32).map { input in
            let offset = 16 + input / 8 * 8 + offsets[input % 8]
            var value = 0
            for limb in 0..<limbCount { value = value * 128 + Int(Int8(bitPattern: bytes[offset + limb * 32])) }
            return value
        }
    }
}

@Suite struct QuantizedActivationsTests {
    /// Digits of each count of bytes, where this CPU has products of them; AVX-512 has those of AVX2, with BF16 those of VNNI.
    static let products = QuantizedProduct.available
        .filter { $0.limbCount != nil && [.avx2, .avx512vnni].contains($0.table.isa) }

    private func records(
        _ product: QuantizedProduct, _ rows: [Float], width: Int, order: [Int32]? = nil
    ) throws -> [Record] {
        let kernels = try #require(product.limbs)
        let limbCount = try #require(product.limbCount)
        let rowCount = rows.count / width
        let recordCount = (width + 31) / 32
        let size = kernels.record_byte_count
        var bytes = [UInt8](repeating: 0xFF, count: rowCount * recordCount * size)
        if let order {
            kernels.quantize(rows, width, order, &bytes, recordCount, rowCount, width)
        } else {
            kernels.quantize(rows, width, nil, &bytes, recordCount, rowCount, width)
        }
        return (0..<rowCount * recordCount).map {
            Record(
                bytes[($0 * size)..<(($0 + 1) * size)], limbCount: limbCount, isPairs: product.table.isa == .avx2)
        }
    }

    @Test("numbers are off by half a scale at most, and sums say what the integers do", arguments: products)
    func integersAreNear(product: QuantizedProduct) throws {
        var numbers = Numbers(seed: 9)
        let width = 77
        for bound in [Float(1), 1e-20, 1e36] {
            let rows = numbers.floats(3 * width, bound: bound)
            for (index, record) in try records(product, rows, width: width).enumerated() {
                let (row, first) = (index / 3, index % 3 * 32)
                for input in 0..<32 {
                    let number = first + input < width ? Double(rows[row * width + first + input]) : 0
                    let result = Double(record.integers[input]) * Double(record.scale)
                    #expect(abs(result - number) <= 0.5001 * Double(record.scale) + abs(number) * 0x1p-22)
                }
                for (sum, inputs) in zip(record.sums, [0..<16, 16..<32, 0..<32]) {
                    let exact = Double(record.integers[inputs].reduce(0, +)) * Double(record.scale)
                    #expect(abs(Double(sum) - exact) <= abs(exact) * 0x1p-22)
                }
            }
        }
    }

    @Test("the largest number of a slice is exact, and zeros are zeros", arguments: products)
    func edges(product: QuantizedProduct) throws {
        let limbCount = try #require(product.limbCount)
        var row = [Float](repeating: 0, count: 64)
        row[5] = -2.5
        let result = try records(product, row, width: 64)
        #expect(result[0].integers[5] == -127 << (7 * (limbCount - 1)))
        #expect(result[0].integers.filter { $0 != 0 }.count == 1)
        #expect(result[1].scale == 0 && result[1].integers == [Int](repeating: 0, count: 32))
    }

    @Test("what is not finite makes its own slice's scale and sums not a number", arguments: products)
    func notFinite(product: QuantizedProduct) throws {
        for bad in [Float.nan, .infinity, -.infinity] {
            var row = [Float](repeating: 1, count: 64)
            row[3] = bad
            let result = try records(product, row, width: 64)
            #expect(result[0].scale.isNaN && result[0].sums.filter { !$0.isNaN }.isEmpty)
            #expect(result[1].scale.isFinite && result[1].sums[2] == 32)
        }
    }

    @Test("columns come in the order that is asked for", arguments: products)
    func order(product: QuantizedProduct) throws {
        var numbers = Numbers(seed: 4)
        let rows = numbers.floats(2 * 70)
        let order = numbers.permutation(70)
        let ordered = (0..<2 * 70).map { rows[$0 / 70 * 70 + Int(order[$0 % 70])] }
        let result = try records(product, rows, width: 70, order: order)
        let expected = try records(product, ordered, width: 70)
        #expect(result.map(\.integers) == expected.map(\.integers))
        #expect(result.map(\.scale) == expected.map(\.scale))
    }
}
