import Backends
import Tensors
import Testing

/// What a plan says about its operations: the values they read and write, and their description.
@Suite struct OperationTests {
    @Test("An operation names the values that it reads and writes, and prints with its choices")
    func operations() {
        var plan = ForwardPlan()
        let table = plan.addMatrix(
            "positions.weight", .dense(HostTensor([Float](repeating: 0, count: 8), shape: [2, 4], as: .f32)))
        let weight = plan.addVector("norm.weight", [1, 1, 1, 1])
        let bias = plan.addVector("norm.bias", [0, 0])
        let layer = plan.addCacheLayer(CacheLayer(keyValueHeadCount: 1, headSize: 4))
        func value(_ width: Int) -> ValueID { plan.addValue(rows: .tokens, width: width) }
        let (input, part, output) = (value(4), value(2), value(4))
        let xielu = PointwiseActivation.xielu(alphaPositive: 0.5, alphaNegative: 1, beta: 0.25, epsilon: -1e-6)
        let attention = AttentionShape(queryHeadCount: 1, scale: 1, sinks: weight)
        let cases: [(DeviceOperation, [ValueID], ValueID, String)] = [
            (
                .embed(table: table, scale: 1, output: input), [], input,
                "%0 [tokens, 4] = embed(positions.weight f32 [2, 4])"
            ),
            (
                .embed(table: table, index: .positions(offset: 2), scale: 3, output: input), [], input,
                "%0 [tokens, 4] = embed(positions.weight f32 [2, 4], at positions + 2, scale 3.0)"
            ),
            (
                .layerNorm(
                    input: input, weight: weight, bias: bias, groupSize: 2, epsilon: 0.5, output: output),
                [input], output, "%2 [tokens, 4] = layerNorm(%0, groups of 2, norm.weight, bias norm.bias, epsilon 0.5)"
            ),
            (
                .activation(input: input, activation: xielu, output: output), [input], output,
                "%2 [tokens, 4] = activation(%0, xielu 0.5/1.0, beta 0.25, epsilon -1e-06)"
            ),
            (
                .scale(input: input, factor: 0.5, output: output), [input], output,
                "%2 [tokens, 4] = scale(%0, 0.5)"
            ),
            (
                .positionScale(input: input, beta: 0.5, originalLength: 16, output: output), [input], output,
                "%2 [tokens, 4] = positionScale(%0, beta 0.5, length 16)"
            ),
            (
                .slice(input: input, offset: 1, output: part), [input], part,
                "%1 [tokens, 2] = slice(%0, from column 1)"
            ),
            (
                .concatHeads(
                    first: HeadColumns(part, stride: 0, width: 1),
                    second: HeadColumns(input, offset: 1, stride: 2, width: 1),
                    headCount: 2, output: output), [part, input], output,
                "%2 [tokens, 4] = concatHeads(2 heads, 1 of %1 from column 0, 1 of %0 from column 1 every 2)"
            ),
            (
                .pagedAttention(layer: layer, query: input, attention: attention, output: output), [input], output,
                "%2 [tokens, 4] = pagedAttention(layer 0, %0, heads 1/1 of 4, sinks norm.weight)"
            ),
        ]
        for (operation, inputs, output, line) in cases {
            #expect(operation.inputs == inputs && operation.output == output)
            var one = plan
            one.append(operation)
            #expect(one.description == line + "\n")
        }
    }

    @Test("The factor by position is exactly 1 up to the length of training, and steps from there")
    func positionScale() {
        let scale = PositionScale(beta: 0.1, originalLength: 16)
        #expect((0..<16).allSatisfy { scale.factor(at: $0) == 1 })
        // 1 + 0.1 log 2, and 1 + 0.1 log 4.
        #expect(abs(scale.factor(at: 16) - 1.0693147) < 1e-6)
        #expect(abs(scale.factor(at: 63) - 1.1386294) < 1e-6)
    }

    @Test("Activations have the values of their papers' formulas")
    func activations() {
        #expect(abs(PointwiseActivation.gelu.applied(to: 1) - 0.8413447461) < 1e-9)
        #expect(abs(PointwiseActivation.geluTanh.applied(to: 1) - 0.8411919906) < 1e-9)
        #expect(abs(PointwiseActivation.silu.applied(to: -1) + 0.2689414214) < 1e-9)
        #expect(PointwiseActivation.reluSquared.applied(to: 3) == 9 && PointwiseActivation.relu.applied(to: -3) == 0)
        #expect(PointwiseActivation.sigmoid.applied(to: 0) == 0.5)
        #expect(abs(Activation.silu.applied(gate: -1, up: 3) + 3 * 0.2689414214) < 1e-9)
        // 7 / (1 + exp(-1.702 · 7)) · (-7 + 1), as both are clamped, and 1 / (1 + exp(-1.702)) · (2 + 1).
        let clamped = Activation.clampedSwiGLU(alpha: 1.702, limit: 7)
        #expect(abs(clamped.applied(gate: 9, up: -8) + 41.9997189) < 1e-6)
        #expect(abs(clamped.applied(gate: 1, up: 2) - 2.5373873) < 1e-6)
        #expect(clamped.applied(gate: -1e3, up: 1) == 0 && clamped.applied(gate: .nan, up: 1).isNaN)
        // 0.8 · 4 + 0.5 · 2, and (exp(-2) - 1 + 2) · 0.8 - 0.5 · 2.
        let xielu = PointwiseActivation.xielu(alphaPositive: 0.8, alphaNegative: 0.8, beta: 0.5, epsilon: -1e-6)
        #expect(abs(xielu.applied(to: 2) - 4.2) < 1e-6)
        #expect(abs(xielu.applied(to: -2) + 0.0917317734) < 1e-6)
    }
}
