import Backends
import Tensors

extension BackendConformance {
    /// The choices of a model family for its layers.
    private struct Style {
        let name: String
        /// Nil: no rotation, but learned positions.
        var pairing: RotaryEmbedding.Pairing? = .halves
        /// Numbers of a head that are rotated; nil: all.
        var rotarySize: Int?
        var bias = false
        /// Layer norms in place of root-mean-square norms.
        var layerNorm = false
        var headNorm = false
        /// A norm of whole rows of queries and keys.
        var rowNorm = false
        /// The keys' projection is the values' as well, before their norms.
        var keysAreValues = false
        var activation = Activation.silu
        /// A feed-forward part without a gate.
        var isPlain = false
        var preNorm = true
        var postNorm = false
        /// Attention and feed-forward part read the same norm of the stream, and both are added to it.
        var isParallel = false
        /// A factor on what is added to the stream.
        var residualScale: Float?
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
            Style(name: "olmo2", rowNorm: true, preNorm: false, postNorm: true),
            Style(
                name: "gpt2", pairing: nil, bias: true, layerNorm: true, activation: .geluTanh, isPlain: true),
            Style(
                name: "gpt-neox", rotarySize: 8, bias: true, layerNorm: true, activation: .gelu, isPlain: true,
                isParallel: true),
            Style(
                name: "cohere", pairing: .interleaved, layerNorm: true, isParallel: true, residualScale: 0.7,
                headSize: 32, heads: 4, keyValueHeads: 2),
            Style(
                name: "gemma4", headNorm: true, keysAreValues: true, activation: .geluTanh, postNorm: true,
                headSize: 32,
                heads: 4, keyValueHeads: 2),
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
        if style.pairing == nil {
            let positions = sketch.matrix("positions", 20, style.hidden, weights)
            hidden = sketch.add(hidden, sketch.embedPositions(positions, offset: 0))
        }
        for layer in 0..<2 { hidden = append(layer, of: style, weights, to: hidden, &sketch) }
        let last = norm(sketch.gather(hidden), of: style, &sketch)
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
        let normed = style.preNorm ? norm(input, of: style, &sketch) : input
        var projected = attention(layer, of: style, weights, over: normed, &sketch)
        if style.postNorm { projected = norm(projected, of: style, &sketch) }
        if let scale = style.residualScale { projected = sketch.scale(projected, by: scale) }
        let middle = sketch.add(input, projected)

        let second = style.isParallel ? normed : style.preNorm ? norm(middle, of: style, &sketch) : middle
        let up = sketch.linear(second, style.feedForward, weights, bias: style.isPlain)
        let activated =
            style.isPlain
            ? sketch.activation(up, style.activation.pointwise)
            : sketch.gated(sketch.linear(second, style.feedForward, weights), up, style.activation)
        var down = sketch.linear(activated, style.hidden, weights)
        if style.postNorm { down = norm(down, of: style, &sketch) }
        if let scale = style.residualScale { down = sketch.scale(down, by: scale) }
        return sketch.add(middle, down)
    }

    private static func attention(
        _ layer: Int, of style: Style, _ weights: ElementType, over input: ValueID, _ sketch: inout PlanSketch
    ) -> ValueID {
        var query = sketch.linear(input, style.heads * style.headSize, weights, bias: style.bias)
        var key = sketch.linear(input, style.keyValueHeads * style.headSize, weights, bias: style.bias)
        var value =
            style.keysAreValues
            ? key : sketch.linear(input, style.keyValueHeads * style.headSize, weights, bias: style.bias)
        if style.keysAreValues { value = sketch.norm(value, groupSize: style.headSize) }
        if style.headNorm || style.rowNorm {
            query = sketch.norm(query, groupSize: style.rowNorm ? nil : style.headSize)
            key = sketch.norm(key, groupSize: style.rowNorm ? nil : style.headSize)
        }
        if let pairing = style.pairing {
            let rotary = rotation(pairCount: (style.rotarySize ?? style.headSize) / 2, pairing)
            query = sketch.rotary(query, headSize: style.headSize, rotary)
            key = sketch.rotary(key, headSize: style.headSize, rotary)
        }
        let attended = sketch.attention(
            query: query, key: key, value: value, headSize: style.headSize,
            AttentionShape(
                queryHeadCount: style.heads, scale: 1 / Float(style.headSize).squareRoot(),
                slidingWindow: layer == 0 ? style.slidingWindow : nil, softCap: style.softCap))
        return sketch.linear(attended, style.hidden, weights)
    }

    private static func norm(_ input: ValueID, of style: Style, _ sketch: inout PlanSketch) -> ValueID {
        style.layerNorm ? sketch.layerNorm(input) : sketch.norm(input)
    }
}
