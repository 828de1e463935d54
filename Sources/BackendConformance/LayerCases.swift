import Backends
import Tensors

extension BackendConformance {
    /// The choices of a model family for its layers.
    private struct Style {
        let name: String
        var pairing = RotaryEmbedding.Pairing.halves
        var bias = false
        var headNorm = false
        var activation = Activation.silu
        var postNorm = false
        var slidingWindow: Int?
        var softCap: Float?
        var hidden = 64
        var headSize = 16
        var heads = 3
        var keyValueHeads = 1
        var feedForward = 100
    }

    /// Whole small models in the shapes of real families. They show faults of the fusion of neighbouring operations.
    static func layerCases(_ weightTypes: [ElementType], _ cacheTypes: [CacheType]) -> [ConformanceCase] {
        let styles = [
            Style(name: "llama"),
            Style(name: "llama gguf", pairing: .interleaved, hidden: 77, headSize: 10, heads: 6, keyValueHeads: 2),
            Style(name: "qwen2", bias: true, headSize: 8, heads: 7),
            Style(name: "qwen3", headNorm: true, headSize: 32, heads: 4, keyValueHeads: 2),
            Style(
                name: "gemma", headNorm: true, activation: .geluTanh, postNorm: true, slidingWindow: 5, softCap: 20,
                headSize: 80, heads: 2, feedForward: 33),
        ]
        // Every style with every weight type and every cache type, and every two of these types together, but not every
        // three: the types of weights and of the cache meet in no kernel.
        guard !weightTypes.isEmpty, !cacheTypes.isEmpty else { return [] }
        return styles.enumerated().flatMap { number, style in
            (0..<max(weightTypes.count, cacheTypes.count)).map { index in
                // The longer list is taken in order, the shorter one rotates with the style.
                let isLonger = weightTypes.count > cacheTypes.count
                let weights = weightTypes[(isLonger ? index : number + index) % weightTypes.count]
                let cache = cacheTypes[(isLonger ? number + index : index) % cacheTypes.count]
                return layerCase(style, weights, cache, seed: 70)
            }
        }
    }

    private static func layerCase(
        _ style: Style, _ weights: ElementType, _ cache: CacheType, seed: UInt64
    ) -> ConformanceCase {
        var sketch = PlanSketch(seed: seed)
        let table = sketch.matrix("embedding", PlanSketch.vocabularySize, style.hidden, weights)
        var hidden = sketch.embed(table, style.hidden, scale: 4)
        for layer in 0..<2 { hidden = append(layer, of: style, weights, to: hidden, &sketch) }
        let last = sketch.norm(sketch.gather(hidden))
        var logits = sketch.linear(last, table)
        if let cap = style.softCap { logits = sketch.softCap(logits, cap: cap) }
        return ConformanceCase(
            name: "\(style.name) layers, weights \(weights), cache \(cache)",
            tolerance: Tolerance.layers(weights, cache), plan: sketch.finished(logits),
            sequences: sequences([13, 1, 19], seed: seed), cacheType: cache, blockSize: 4)
    }

    private static func append(
        _ layer: Int, of style: Style, _ weights: ElementType, to input: ValueID, _ sketch: inout PlanSketch
    ) -> ValueID {
        let rotary = rotation(pairCount: style.headSize / 2, style.pairing)
        let normed = sketch.norm(input)
        var query = sketch.linear(normed, style.heads * style.headSize, weights, bias: style.bias)
        var key = sketch.linear(normed, style.keyValueHeads * style.headSize, weights, bias: style.bias)
        let value = sketch.linear(normed, style.keyValueHeads * style.headSize, weights, bias: style.bias)
        if style.headNorm {
            query = sketch.norm(query, groupSize: style.headSize)
            key = sketch.norm(key, groupSize: style.headSize)
        }
        query = sketch.rotary(query, headSize: style.headSize, rotary)
        key = sketch.rotary(key, headSize: style.headSize, rotary)
        let attended = sketch.attention(
            query: query, key: key, value: value, headSize: style.headSize,
            AttentionShape(
                queryHeadCount: style.heads, scale: 1 / Float(style.headSize).squareRoot(),
                slidingWindow: layer == 0 ? style.slidingWindow : nil, softCap: style.softCap))
        var projected = sketch.linear(attended, style.hidden, weights)
        if style.postNorm { projected = sketch.norm(projected) }
        let middle = sketch.add(input, projected)

        let second = sketch.norm(middle)
        let gate = sketch.linear(second, style.feedForward, weights)
        let up = sketch.linear(second, style.feedForward, weights)
        var down = sketch.linear(sketch.gated(gate, up, style.activation), style.hidden, weights)
        if style.postNorm { down = sketch.norm(down) }
        return sketch.add(middle, down)
    }
}
