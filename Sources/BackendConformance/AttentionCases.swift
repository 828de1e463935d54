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
        return cacheTypes.flatMap { type in choices.enumerated().map { attentionCase($1, type, seed: UInt64(60 + $0)) }
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
        let result = sketch.attention(
            query: query, key: key, value: value, headSize: choice.headSize,
            AttentionShape(
                queryHeadCount: heads, scale: 1 / Float(choice.headSize).squareRoot(),
                slidingWindow: choice.slidingWindow, softCap: choice.softCap))
        var name = "attention \(cacheType) heads \(heads)/\(choice.keyValueHeads) of \(choice.headSize)"
        name += ", blocks of \(choice.blockSize), lengths \(choice.lengths)"
        if let window = choice.slidingWindow { name += ", window \(window)" }
        if let cap = choice.softCap { name += ", cap \(cap)" }
        return ConformanceCase(
            name: name, tolerance: Tolerance.attention(cacheType), plan: sketch.finished(result),
            sequences: sequences(choice.lengths, seed: seed), cacheType: cacheType, blockSize: choice.blockSize)
    }
}
