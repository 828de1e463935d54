import CPUKernels
import Testing

@Suite struct RowTests {
    /// Numbers at which rounding goes wrong first: ties, subnormals, overflow, zeros, infinities.
    static let awkward: [Float] =
        [
            0, -0.0, 1, -1, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
            .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude, 65504, 65519.996, 65520, 65536,
            -65520, 0x1p-14, 0x1.ffcp-15, 0x1p-24, 0x1p-25, 0x1.000002p-25, 0x1.8p-24, 0x1.8p-25, 0x1.4p-24,
            1 + 0x1p-11, 1 + 0x3p-11, 1 + 0x1p-8, 1 + 0x3p-8, 1 + 0x1.000002p-8, 3.3895314e38, 3.3961775e38, 0x1p-133,
            0x1p-134, 0x1.8p-133,
        ] + (0..<1000).map { Float(bitPattern: 0x3300_0000 + $0 * 0x1_2345) }

    /// `count` stored numbers as 32-bit floats: the only row of a table of embeddings, times 1.
    private func widened(_ stored: [some Any], _ count: Int, _ type: quire_dtype, _ table: KernelTable) -> [Float] {
        var wide = [Float](repeating: 0, count: count)
        stored.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            table.kernels.embed(type, start, count, [0], 1, count, 1, &wide, count)
        }
        return wide
    }

    @Test(arguments: elementTypes, KernelTable.available)
    func roundsToNearestEven(type: quire_dtype, table: KernelTable) {
        let count = Self.awkward.count
        let expected = Stored(Self.awkward, as: type)
        var stored = [UInt8](repeating: 0, count: expected.bytes.count)
        table.kernels.convert_from_f32(type, Self.awkward, count, &stored, count, 1, count, 0)
        #expect(stored == expected.bytes)
        #expect(bits(widened(stored, count, type, table)) == bits(expected.values))
        // A row's tail goes another way than its whole vectors.
        for first in stride(from: 0, to: count, by: 7) {
            let length = min(7, count - first)
            let size = byteCount(type)
            var part = [UInt8](repeating: 0, count: length * size)
            table.kernels.convert_from_f32(type, Array(Self.awkward[first...]), length, &part, length, 1, length, 0)
            #expect(part == Array(expected.bytes[(first * size)..<((first + length) * size)]))
        }
    }

    @Test(arguments: KernelTable.available)
    func every16BitPatternWidensExactlyAndComesBack(table: KernelTable) {
        let patterns = (0...UInt16.max).map { $0 }
        for type in [quire_dtype.f16, .bf16] {
            let wide = widened(patterns, patterns.count, type, table)
            var back = [UInt16](repeating: 0, count: patterns.count)
            table.kernels.convert_from_f32(type, wide, wide.count, &back, wide.count, 1, wide.count, 0)
            var wrong: [UInt16] = []
            for pattern in patterns {
                let i = Int(pattern)
                let expected =
                    type == .f16 ? Float(Float16(bitPattern: pattern)) : Float(bitPattern: UInt32(pattern) << 16)
                let same =
                    expected.isNaN
                    ? wide[i].isNaN && (type == .f16 ? Float16(bitPattern: back[i]).isNaN : back[i] & 0x7F > 0)
                    : wide[i].bitPattern == expected.bitPattern && back[i] == pattern
                if !same { wrong.append(pattern) }
            }
            #expect(wrong.isEmpty)
        }
    }

    @Test(arguments: KernelTable.available)
    func oddRowsArePaddedWithAZeroOnRequest(table: KernelTable) {
        let x: [Float] = [1, 2, 3, 4, 5, 6]
        var padded = [UInt16](repeating: 0xFFFF, count: 8)
        table.kernels.convert_from_f32(.bf16, x, 3, &padded, 4, 2, 3, 1)
        #expect(padded == [0x3F80, 0x4000, 0x4040, 0, 0x4080, 0x40A0, 0x40C0, 0])
        var plain = [UInt16](repeating: 0xFFFF, count: 8)
        table.kernels.convert_from_f32(.bf16, x, 3, &plain, 4, 2, 3, 0)
        #expect(plain == [0x3F80, 0x4000, 0x4040, 0xFFFF, 0x4080, 0x40A0, 0x40C0, 0xFFFF])
    }

    @Test(arguments: elementTypes, KernelTable.available)
    func keysAndValuesGoToTheirSlots(type: quire_dtype, table: KernelTable) {
        // Blocks of two slots, with some bytes between them that nobody writes.
        let (width, stride, blockCount, blockStride) = (21, 25, 3, 47)
        var numbers = Numbers(seed: 11)
        let keys = numbers.floats(3 * stride)
        let values = numbers.floats(3 * stride)
        let slots: [Int32] = [4, 0, 5]
        let rowBytes = width * byteCount(type)
        var keyCache = [UInt8](repeating: 0xCC, count: blockCount * blockStride * byteCount(type))
        var valueCache = keyCache
        var expected = [keyCache, valueCache]
        for (row, slot) in slots.enumerated() {
            for (which, source) in [keys, values].enumerated() {
                let stored = Stored(Array(source[(row * stride)..<(row * stride + width)]), as: type)
                let start = (Int(slot) / 2 * blockStride + Int(slot) % 2 * width) * byteCount(type)
                expected[which].replaceSubrange(start..<(start + rowBytes), with: stored.bytes)
            }
        }
        table.kernels.write_heads(type, keys, stride, slots, 3, width, width, 2, blockStride, &keyCache)
        table.kernels.write_heads(type, values, stride, slots, 3, width, width, 2, blockStride, &valueCache)
        #expect(keyCache == expected[0])
        #expect(valueCache == expected[1])
    }

    @Test(arguments: KernelTable.available, [1, 4, 7, 16, 33])
    func headsOfEightBitsHaveScales(table: KernelTable, headSize: Int) {
        var numbers = Numbers(seed: 12)
        let width = 2 * headSize
        var keys = numbers.floats(2 * width)
        // A head of zeros, and one whose numbers lie in the middle between two steps.
        for index in 0..<headSize {
            keys[index] = 0
            keys[headSize + index] = index == 0 ? 127 : Float(index) + 0.5
        }
        let record = 4 + (headSize + 3) / 4 * 4
        var keyCache = [UInt8](repeating: 0xCC, count: 3 * 2 * record)
        table.kernels.write_heads(.int8, keys, width, [2, 0], 2, width, headSize, 1, 2 * record, &keyCache)
        #expect(keyCache[2 * record..<4 * record].allSatisfy { $0 == 0xCC })
        for (row, slot) in [2, 0].enumerated() {
            for head in 0..<2 {
                let source = keys[row * width + head * headSize..<row * width + (head + 1) * headSize]
                let scale = source.map { abs($0) }.max().map { $0 / 127 } ?? 0
                let start = (slot * 2 + head) * record
                #expect(Array(keyCache[start..<start + 4]) == withUnsafeBytes(of: scale) { Array($0) })
                for (index, number) in source.enumerated() {
                    let expected = scale == 0 ? 0 : Int8((number / scale).rounded(.toNearestOrEven))
                    #expect(Int8(bitPattern: keyCache[start + 4 + index]) == expected)
                }
            }
        }
    }
}
