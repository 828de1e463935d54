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
        // Drivers compile the attentions of `attentionCases`, and few others.
        var headSize = 32
        var heads = 4
        var keyValueHeads = 2
        var feedForward = 100
    }

    /// Whole small models in the shapes of real families. They show faults of the fusion of neighbouring operations.
    static func layerCases(
        _ weightTypes: [ElementType], _ cacheTypes: [CacheType], _ coverage: Coverage
    ) -> [ConformanceCase] {
        let styles = [
            Style(name: "llama"),
            Style(name: "llama gguf", pairing: .interleaved, hidden: 77, headSize: 10),
            Style(name: "qwen2", bias: true),
            Style(name: "qwen3", headNorm: true),
            Style(name: "olmo2", rowNorm: true, preNorm: false, postNorm: true),
            Style(
                name: "gpt2", pairing: nil, bias: true, layerNorm: true, activation: .geluTanh, isPlain: true),
            Style(
                name: "gpt-neox", rotarySize: 8, bias: true, layerNorm: true, activation: .gelu, isPlain: true,
                isParallel: true),
            Style(
                name: "cohere", pairing: .interleaved, layerNorm: true, isParallel: true, residualScale: 0.7),
            Style(name: "gemma4", headNorm: true, keysAreValues: true, activation: .geluTanh, postNorm: true),
            Style(
                name: "gemma", headNorm: true, activation: .geluTanh, postNorm: true, slidingWindow: 5, softCap: 20,
                headSize: 10, feedForward: 33),
        ]
        return CoveringArray(levelCounts: [styles.count, weightTypes.count, cacheTypes.count]).rows(coverage).map {
            row in
            layerCase(styles[row[0]], weightTypes[row[1]], cacheTypes[row[2]], seed: 70)
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
        let activated: ValueID
        if style.isPlain, let function = style.activation.pointwise {
            activated = sketch.activation(up, function)
        } else {
            activated = sketch.gated(sketch.linear(second, style.feedForward, weights), up, style.activation)
        }
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
