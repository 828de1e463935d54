import Backends
import Tensors

extension BackendConformance {
    private struct GroupedLayer {
        var keyValueHeads = 1
        var headSize = 32
        var window: Int?
    }

    private struct GroupedLayers {
        let name: String
        /// A multiple of every head size.
        let queryWidth: Int
        let layers: [GroupedLayer]
    }

    /// Attentions over layers of several cache groups, which share the memory of physical layers: with blocks of one size,
    /// of several sizes, and with padding in blocks.
    static func cacheGroupCases(_ cacheTypes: [CacheType], _ coverage: Coverage) -> [ConformanceCase] {
        let (full, sliding) = (GroupedLayer(), GroupedLayer(window: 5))
        let choices: [GroupedLayers] = [
            GroupedLayers(name: "one of three slides", queryWidth: 64, layers: [full, sliding, full]),
            GroupedLayers(name: "two of three slide", queryWidth: 64, layers: [sliding, full, sliding]),
            GroupedLayers(
                name: "two windows", queryWidth: 64, layers: [sliding, GroupedLayer(window: 70), sliding, full]),
            GroupedLayers(
                name: "four times as many heads", queryWidth: 128,
                layers: [GroupedLayer(window: 9), GroupedLayer(keyValueHeads: 4)]),
            GroupedLayers(
                name: "padded blocks", queryWidth: 240,
                layers: [GroupedLayer(keyValueHeads: 3, headSize: 10, window: 9), GroupedLayer(headSize: 80)]),
        ]
        return CoveringArray(levelCounts: [cacheTypes.count, choices.count]).rows(coverage).map { row in
            cacheGroupCase(choices[row[1]], cacheTypes[row[0]], seed: UInt64(90 + row[1]))
        }
    }

    /// The sum of the attentions, each over keys and values that come out of tables.
    private static func cacheGroupCase(_ choice: GroupedLayers, _ type: CacheType, seed: UInt64) -> ConformanceCase {
        var sketch = PlanSketch(seed: seed)
        var sum: ValueID?
        for layer in choice.layers {
            let width = layer.keyValueHeads * layer.headSize
            let attended = sketch.attention(
                query: sketch.input(choice.queryWidth, bound: 2), key: sketch.input(width, bound: 2),
                value: sketch.input(width), headSize: layer.headSize,
                AttentionShape(
                    queryHeadCount: choice.queryWidth / layer.headSize, scale: 0.2, slidingWindow: layer.window))
            sum = sum.map { sketch.add($0, attended) } ?? attended
        }
        guard let sum else { preconditionFailure("a case without layers") }
        return ConformanceCase(
            name: "cache groups, \(choice.name), cache \(type)", tolerance: Tolerance.attention(type),
            plan: sketch.finished(sum), sequences: sequences([150, 1, 37], seed: seed), cacheType: type, blockSize: 4)
    }
}
