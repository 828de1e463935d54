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

    static func attentionCases(_ cacheTypes: [CacheType]) -> [ConformanceCase] {
        var choices: [AttentionChoice] = []
        for headSize in [8, 10, 32, 64, 80, 128, 256] {
            choices.append(AttentionChoice(group: headSize % 3 == 2 ? 3 : 1, headSize: headSize))
        }
        for group in [1, 3, 4, 7] { choices.append(AttentionChoice(group: group, headSize: 32)) }
        for keyValueHeads in [1, 3] { choices.append(AttentionChoice(keyValueHeads: keyValueHeads, group: 4)) }
        for blockSize in [1, 2, 4, 8, 16, 32, 64, 128, 256] {
            choices.append(AttentionChoice(group: 3, headSize: 32, blockSize: blockSize, lengths: [64, 65, 7]))
        }
        choices.append(AttentionChoice(group: 3, blockSize: 16, lengths: [330, 1, 129]))
        for window in [1, 2, 16, 63, 64, 100] {
            choices.append(AttentionChoice(headSize: 32, lengths: [150, 3, 70], slidingWindow: window))
        }
        choices.append(AttentionChoice(group: 2, headSize: 32, lengths: [40, 90], softCap: 2))
        choices.append(AttentionChoice(group: 2, headSize: 10, lengths: [40, 90], slidingWindow: 33, softCap: 5))
        let cases = cacheTypes.flatMap { type in
            choices.enumerated().map { attentionCase($1, type, seed: UInt64(60 + $0)) }
        }
        return cases + rotatingCases(cacheTypes)
    }

    /// Choices that meet one cache type each, as what they differ in does not depend on it: head sizes of more families
    /// (Gemma 4's global layers have 512, StableLM 160, Phi-2 80), and sinks with contexts of one and of several partitions.
    private static func rotatingCases(_ cacheTypes: [CacheType]) -> [ConformanceCase] {
        guard !cacheTypes.isEmpty else { return [] }
        var choices = [12, 20, 96, 112, 160, 192, 512].map {
            AttentionChoice(group: $0 % 3 == 0 ? 2 : 1, headSize: $0)
        }
        choices.append(AttentionChoice(group: 4, headSize: 512, lengths: [70, 3]))
        for (group, headSize, window) in [(1, 64, nil), (2, 10, 33), (4, 32, nil), (2, 32, 64)] {
            choices.append(
                AttentionChoice(
                    group: group, headSize: headSize, lengths: [330, 1, 70], slidingWindow: window,
                    softCap: group == 4 ? 5 : nil, hasSinks: true))
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
