import CPUKernels
import SharedValues
import Testing

/// One sequence in a shuffled cache, queries for its last tokens, and attention over it.
private struct AttentionCase {
    var type = quire_dtype.f32
    var headSize = 64
    var group = 3
    var keyValueHeads = 2
    var context = 150
    var queries = 1
    var blockSize = 16
    /// Unused numbers at the end of each block.
    var padding = 0
    var softCap: Float = 0
    var window = 0
    var head = 1
    /// One for each query head, or none.
    var sinks: [Float] = []

    /// Bytes of numbers that nobody may read: NaN in every type.
    private static let poison: UInt8 = 0xFF

    private var width: Int { keyValueHeads * headSize }
    private var scale: Float { 1 / Float(headSize).squareRoot() }

    /// Keys and values by position, `[context, width]`, and queries of the last `queries` positions.
    private func numbers() -> (keys: Stored, values: Stored, query: [Float]) {
        var numbers = Numbers(seed: 7)
        // By position from the front, so that a longer context begins with a shorter one's numbers.
        let keys = Stored(numbers.floats(context * width, bound: 3), as: type)
        var others = Numbers(seed: 8)
        let values = Stored(others.floats(context * width), as: type)
        var third = Numbers(seed: 9)
        let all = third.floats(context * group * headSize, bound: 3)
        return (keys, values, Array(all.suffix(queries * group * headSize)))
    }

    /// The kernel's outputs `[queries, group, headSize]`, with the queries cut into calls of `step`.
    func run(_ table: KernelTable, step: Int? = nil) -> [Float] {
        let (keys, values, query) = numbers()
        let blocks = context.dividedUp(by: blockSize)
        var shuffler = Numbers(seed: 10)
        let blockTable = shuffler.permutation(blocks + 2).suffix(blocks).map { $0 }
        let rowBytes = width * byteCount(type)
        let blockBytes = blockSize * rowBytes + padding * byteCount(type)
        var keyCache = [UInt8](repeating: Self.poison, count: (blocks + 2) * blockBytes)
        var valueCache = keyCache
        for position in 0..<context {
            let start = Int(blockTable[position / blockSize]) * blockBytes + position % blockSize * rowBytes
            let place = start..<start + rowBytes
            keyCache.replaceSubrange(place, with: keys.bytes[(position * rowBytes)..<((position + 1) * rowBytes)])
            valueCache.replaceSubrange(place, with: values.bytes[(position * rowBytes)..<((position + 1) * rowBytes)])
        }
        let step = step ?? queries
        let stride = group * headSize
        var output = [Float](repeating: .nan, count: queries * stride)
        var scratch = [Float](repeating: .nan, count: quire_attention_scratch_count(step, group, headSize) + 1)
        scratch[scratch.count - 1] = 777
        keyCache.withUnsafeBytes { keyCache in
            valueCache.withUnsafeBytes { valueCache in
                withBuffers(blockTable, sinks) { blockTable, sinks in
                    guard let k = keyCache.baseAddress, let v = valueCache.baseAddress, let t = blockTable.baseAddress
                    else { return }
                    var attention = quire_attention(
                        keys: k, values: v, cache_dtype: type, block_size: blockSize,
                        block_stride: blockSize * width + padding, kv_head_count: keyValueHeads, head_size: headSize,
                        group: group, block_table: t, scale: scale, soft_cap: softCap,
                        sliding_window: window, sinks: sinks.isEmpty ? nil : sinks.baseAddress)
                    for first in Swift.stride(from: 0, to: queries, by: step) {
                        let count = min(step, queries - first)
                        var part = [Float](repeating: .nan, count: count * stride)
                        table.kernels.paged_attention(
                            &attention, head, Array(query[(first * stride)...]), stride, count,
                            context - queries + first, &part, stride, &scratch)
                        output.replaceSubrange((first * stride)..<((first + count) * stride), with: part)
                    }
                }
            }
        }
        #expect(scratch[scratch.count - 1] == 777, "scratch overrun")
        return output
    }

    private func withBuffers(
        _ blockTable: [Int32], _ sinks: [Float],
        _ body: (UnsafeBufferPointer<Int32>, UnsafeBufferPointer<Float>) -> Void
    ) {
        blockTable.withUnsafeBufferPointer { blockTable in sinks.withUnsafeBufferPointer { body(blockTable, $0) } }
    }

    /// The same in double, in one pass over the positions that a query sees.
    func expected() -> [Double] {
        let (keys, values, query) = numbers()
        var output: [Double] = []
        for q in 0..<queries {
            let position = context - queries + q
            let begin = window > 0 ? max(0, position - window + 1) : 0
            for g in 0..<group {
                let row = (q * group + g) * headSize
                var scores: [Double] = []
                for p in begin...position {
                    var dot = 0.0
                    for d in 0..<headSize {
                        dot += Double(query[row + d]) * Double(keys.values[p * width + head * headSize + d])
                    }
                    dot *= Double(scale)
                    scores.append(softCap > 0 ? Double(softCap) * tanhOf(dot / Double(softCap)) : dot)
                }
                let sink = sinks.isEmpty ? -Double.infinity : Double(sinks[head * group + g])
                let largest = max(scores.max() ?? 0, sink)
                let weights = scores.map { exponential($0 - largest) }
                let sum = weights.reduce(exponential(sink - largest), +)
                for d in 0..<headSize {
                    var total = 0.0
                    for p in begin...position {
                        total += weights[p - begin] * Double(values.values[p * width + head * headSize + d])
                    }
                    output.append(total / sum)
                }
            }
        }
        return output
    }
}

@Suite struct AttentionTests {
    /// Values are within ±1; scores within about ±10 carry 1e-6, which the softmax turns into a relative error.
    static let tolerance = 5e-6

    private func check(_ attention: AttentionCase, _ comment: String) {
        let expected = attention.expected()
        for table in KernelTable.available {
            let output = attention.run(table)
            let worst = zip(output, expected).map { abs(Double($0) - $1) }.max() ?? .nan
            // A NaN fails here too.
            let finite = output.allSatisfy(\.isFinite)
            #expect(finite && worst < Self.tolerance, "\(table.testDescription): \(comment)")
        }
    }

    @Test(arguments: elementTypes, [1, 15, 16, 33, 64, 80, 128, 512])
    func agreesWithDoubles(type: quire_dtype, headSize: Int) {
        for (context, queries) in [(1, 1), (64, 1), (65, 1), (130, 3), (70, 70)] {
            // The long prompt is for one head size: Swift's own loop is slow.
            guard queries < 10 || headSize == 33 else { continue }
            let attention = AttentionCase(type: type, headSize: headSize, context: context, queries: queries)
            check(attention, "context \(context), queries \(queries)")
        }
    }

    @Test(arguments: elementTypes)
    func everyGroupAndHead(type: quire_dtype) {
        for group in [1, 2, 4, 7] {
            check(AttentionCase(type: type, headSize: 32, group: group), "group \(group)")
        }
        for head in [0, 1, 2] {
            check(AttentionCase(type: type, headSize: 16, keyValueHeads: 3, head: head), "head \(head)")
        }
    }

    @Test(arguments: [0, 1, 5, 64, 100, 1000])
    func softCapAndSlidingWindow(window: Int) {
        for cap: Float in [0, 2, 50] {
            let attention = AttentionCase(headSize: 20, context: 140, queries: 9, softCap: cap, window: window)
            check(attention, "cap \(cap)")
        }
    }

    /// Sinks far below the scores, among them, and above all of them.
    @Test(arguments: elementTypes)
    func sinks(type: quire_dtype) {
        for (queries, window, cap) in [(1, 0, Float(0)), (9, 70, 0), (9, 0, 2)] {
            let attention = AttentionCase(
                type: type, headSize: 32, context: 140, queries: queries, softCap: cap, window: window,
                sinks: [-50, 1, 30, 0.5, 40, -3])
            check(attention, "queries \(queries), window \(window), cap \(cap)")
            for table in KernelTable.available {
                #expect(bits(attention.run(table, step: 1)) == bits(attention.run(table)))
            }
        }
    }

    @Test(arguments: elementTypes, KernelTable.available)
    func sameBitsForEveryBlockSize(type: quire_dtype, table: KernelTable) {
        for (headSize, queries, window) in [(40, 5, 0), (40, 5, 70), (32, 1, 0)] {
            var attention = AttentionCase(
                type: type, headSize: headSize, context: 200, queries: queries, window: window)
            let expected = bits(attention.run(table))
            for blockSize in [1, 2, 5, 16, 256] {
                attention.blockSize = blockSize
                for padding in [0, 6] {
                    attention.padding = padding
                    #expect(bits(attention.run(table)) == expected, "block size \(blockSize), window \(window)")
                }
            }
        }
    }

    // Head size 32 takes the short ways (bf16 pairs, values in place for few rows), 24 the general ones.
    @Test(arguments: elementTypes, [24, 32])
    func sameBitsHoweverTheQueriesAreCut(type: quire_dtype, headSize: Int) {
        for (group, window) in [(1, 0), (3, 0), (3, 30)] {
            let attention = AttentionCase(
                type: type, headSize: headSize, group: group, context: 135, queries: 125, window: window)
            for table in KernelTable.available {
                let expected = bits(attention.run(table, step: 1))
                for step in [2, 7, 64, 125] {
                    #expect(
                        bits(attention.run(table, step: step)) == expected,
                        "\(table.testDescription), group \(group), window \(window), calls of \(step)")
                }
            }
        }
    }

    @Test(arguments: KernelTable.available)
    func unseenInfinitiesChangeNothing(table: KernelTable) {
        // The last position's value is infinite: queries before it must not notice, alone or together with it.
        let headSize = 16
        var numbers = Numbers(seed: 3)
        let keys = numbers.floats(70 * headSize)
        var values = numbers.floats(70 * headSize)
        let query = numbers.floats(3 * headSize)
        for d in 0..<headSize { values[69 * headSize + d] = .infinity }
        var results: [[UInt32]] = []
        for count in [2, 3] {
            var output = [Float](repeating: 0, count: 3 * headSize)
            var scratch = [Float](repeating: 0, count: quire_attention_scratch_count(3, 1, headSize))
            let blocks: [Int32] = [0]
            keys.withUnsafeBytes { keys in
                values.withUnsafeBytes { values in
                    blocks.withUnsafeBufferPointer { blocks in
                        guard let k = keys.baseAddress, let v = values.baseAddress, let t = blocks.baseAddress
                        else { return }
                        var attention = quire_attention(
                            keys: k, values: v, cache_dtype: .f32, block_size: 70,
                            block_stride: 70 * headSize, kv_head_count: 1, head_size: headSize, group: 1,
                            block_table: t, scale: 1, soft_cap: 0, sliding_window: 0, sinks: nil)
                        table.kernels.paged_attention(
                            &attention, 0, query, headSize, count, 67, &output, headSize, &scratch)
                    }
                }
            }
            let finite = output[0..<(2 * headSize)].allSatisfy(\.isFinite)
            #expect(finite)
            results.append(bits(output[0..<(2 * headSize)]))
        }
        #expect(results[0] == results[1])
    }
}
