import Backends
import Tensors

extension BackendConformance {
    private struct AttentionChoice {
        var keyValueHeads = 2
        var group = 1
        var headSize = 64
        var blockSize = 16
        var lengths = [5, 1, 18]
        var slidingWindow: Int?
        var softCap: Float?
        var hasSinks = false
    }

    /// Two shapes of heads with every type of cache, every block size and every context, and other shapes with one of each.
    ///
    /// Drivers take long to compile an attention, of which backends have one for each shape of heads and type of cache, so
    /// other cases use these two shapes as well: four numbers at once and two numbers at once.
    static func attentionCases(_ cacheTypes: [CacheType], _ coverage: Coverage) -> [ConformanceCase] {
        let headSizes = [32, 10]
        let blockSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256]
        // Lengths around the limits of blocks and of partitions, window and cap.
        let contexts: [([Int], Int?, Float?)] = [
            ([64, 65, 7], nil, nil), ([5, 1, 18], nil, nil), ([330, 1, 129], nil, nil), ([40, 90], nil, 2),
            ([150, 3, 70], 1, nil), ([150, 3, 70], 2, nil), ([150, 3, 70], 16, nil), ([150, 3, 70], 63, nil),
            ([150, 3, 70], 64, nil), ([150, 3, 70], 100, nil), ([40, 90], 33, 5),
        ]
        let array = CoveringArray(
            levelCounts: [cacheTypes.count, headSizes.count, blockSizes.count, contexts.count], unrelated: [(2, 3)])
        let cases = array.rows(coverage).enumerated().map { index, row in
            let (lengths, window, cap) = contexts[row[3]]
            let choice = AttentionChoice(
                group: 2, headSize: headSizes[row[1]], blockSize: blockSizes[row[2]], lengths: lengths,
                slidingWindow: window, softCap: cap)
            return attentionCase(choice, cacheTypes[row[0]], seed: UInt64(60 + index))
        }
        return cases + otherHeadCases(cacheTypes, coverage)
    }

    /// Shapes of heads that meet one cache type each, as what they differ in does not depend on it: those of more families
    /// (Gemma 4's global layers have heads of 512 numbers, StableLM of 160, Phi-2 of 80), and sinks with contexts of one and
    /// of several partitions.
    private static func otherHeadCases(_ cacheTypes: [CacheType], _ coverage: Coverage) -> [ConformanceCase] {
        guard !cacheTypes.isEmpty else { return [] }
        // Odd groups, heads whose units are no power of two, as many as a workgroup has invocations, and more.
        var choices = [(8, 3), (32, 7), (80, 3), (256, 1), (512, 4)].map {
            AttentionChoice(group: $1, headSize: $0, lengths: [70, 3])
        }
        choices.append(
            AttentionChoice(group: 2, headSize: 10, lengths: [330, 1, 70], slidingWindow: 33, hasSinks: true))
        choices.append(AttentionChoice(group: 2, headSize: 32, lengths: [330, 1, 70], softCap: 5, hasSinks: true))
        if coverage == .pairs {
            choices += [12, 20, 96, 112, 128, 160, 192, 512].map {
                AttentionChoice(group: $0 % 3 == 0 ? 2 : 1, headSize: $0)
            }
            choices += [1, 3].map { AttentionChoice(keyValueHeads: $0, group: 4) }
            choices.append(AttentionChoice(headSize: 64, lengths: [330, 1, 70], hasSinks: true))
            choices.append(
                AttentionChoice(group: 4, headSize: 32, lengths: [330, 1, 70], slidingWindow: 64, hasSinks: true))
        }
        return choices.enumerated().map { attentionCase($1, cacheTypes[$0 % cacheTypes.count], seed: UInt64(160 + $0)) }
    }

    /// Several attentions over one cache layer, which has been written once (Gemma 4's shared KV layers), with other
    /// queries, heads, windows and scales each.
    static func sharedLayerCases(_ cacheTypes: [CacheType]) -> [ConformanceCase] {
        cacheTypes.map { type in
            var sketch = PlanSketch(seed: 180)
            let layer = sketch.write(key: sketch.input(64, bound: 2), value: sketch.input(64), headSize: 32)
            var sum = sketch.input(128)
            for (heads, window, cap) in [(4, nil, nil), (2, 5, nil), (4, 33, Float(3))] as [(Int, Int?, Float?)] {
                let attended = sketch.attention(
                    query: sketch.input(heads * 32, bound: 2), layer: layer,
                    AttentionShape(
                        queryHeadCount: heads, scale: 1 / Float(heads), slidingWindow: window, softCap: cap))
                sum = sketch.add(sum, sketch.linear(attended, 128, .f32))
            }
            return ConformanceCase(
                name: "three attentions over one \(type) layer", tolerance: Tolerance.attention(type),
                plan: sketch.finished(sum), sequences: sequences([40, 3, 90], seed: 180), cacheType: type, blockSize: 8)
        }
    }

    /// Keys and values go into the cache as they come out of a table, so all backends round the same numbers and
    /// only the attention's own arithmetic differs.
    private static func attentionCase(
        _ choice: AttentionChoice, _ cacheType: CacheType, seed: UInt64
    ) -> ConformanceCase {
        var sketch = PlanSketch(seed: seed)
        let heads = choice.keyValueHeads * choice.group
        let query = sketch.input(heads * choice.headSize, bound: 2)
        let key = sketch.input(choice.keyValueHeads * choice.headSize, bound: 2)
        let value = sketch.input(choice.keyValueHeads * choice.headSize)
        let sinks = choice.hasSinks ? sketch.vector("sinks", heads, around: 1) : nil
        let result = sketch.attention(
            query: query, key: key, value: value, headSize: choice.headSize,
            AttentionShape(
                queryHeadCount: heads, scale: 1 / Float(choice.headSize).squareRoot(),
                slidingWindow: choice.slidingWindow, softCap: choice.softCap, sinks: sinks))
        var name = "attention \(cacheType) heads \(heads)/\(choice.keyValueHeads) of \(choice.headSize)"
        name += ", blocks of \(choice.blockSize), lengths \(choice.lengths)"
        if let window = choice.slidingWindow { name += ", window \(window)" }
        if let cap = choice.softCap { name += ", cap \(cap)" }
        if choice.hasSinks { name += ", sinks" }
        return ConformanceCase(
            name: name, tolerance: Tolerance.attention(cacheType), plan: sketch.finished(result),
            sequences: sequences(choice.lengths, seed: seed), cacheType: cacheType, blockSize: choice.blockSize)
    }
}
