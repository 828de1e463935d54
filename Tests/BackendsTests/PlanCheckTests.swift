import Backends
import Tensors
import Testing

/// A plan whose operations do not fit is an error that names the operation and what does not fit.
@Suite struct PlanCheckTests {
    /// A plan over 4 numbers for each token; `change` appends operations to it and returns the last value.
    private func failure(_ change: (inout ForwardPlan, _ input: ValueID) -> ValueID) -> String? {
        var plan = ForwardPlan()
        let table = plan.addMatrix("table", Self.matrix(10, 4))
        let input = plan.addValue(rows: .tokens, width: 4)
        plan.append(.embed(table: table, scale: 1, output: input))
        let result = change(&plan, input)
        let logits = plan.addValue(rows: .samples, width: 4)
        plan.append(.gather(input: result, output: logits))
        plan.setLogits(logits)
        do throws(BackendError) { try plan.check() } catch { return "\(error)" }
        return nil
    }

    private static func matrix(_ outputSize: Int, _ inputSize: Int) -> LinearWeights {
        .dense(
            HostTensor(
                [Float](repeating: 0, count: outputSize * inputSize), shape: [outputSize, inputSize], as: .f32))
    }

    @Test("A plan that fits passes")
    func fits() {
        #expect(failure { _, input in input } == nil)
        let attention = failure { plan, input in
            let layer = plan.addCacheLayer(CacheLayer(keyValueHeadCount: 1, headSize: 4))
            plan.append(.writeKV(layer: layer, key: input, value: input))
            let output = plan.addValue(rows: .tokens, width: 4)
            let shape = AttentionShape(queryHeadCount: 1, scale: 1)
            plan.append(.pagedAttention(layer: layer, query: input, attention: shape, output: output))
            return output
        }
        #expect(attention == nil)
    }

    @Test("Values are written once, and before they are read")
    func order() {
        let early = failure { plan, _ in plan.addValue(rows: .tokens, width: 4) }
        #expect(early?.contains("gather(%1): it reads %1, which no operation before it writes") == true)
        let twice = failure { plan, input in
            let output = plan.addValue(rows: .tokens, width: 4)
            for _ in 0..<2 { plan.append(.scale(input: input, factor: 2, output: output)) }
            return output
        }
        #expect(twice?.contains("it writes %1, which another operation has written") == true)
        let cache = failure { plan, input in
            let layer = plan.addCacheLayer(CacheLayer(keyValueHeadCount: 1, headSize: 4))
            let output = plan.addValue(rows: .tokens, width: 4)
            let shape = AttentionShape(queryHeadCount: 1, scale: 1)
            plan.append(.pagedAttention(layer: layer, query: input, attention: shape, output: output))
            return output
        }
        #expect(cache?.contains("it reads cache layer 0, which no operation before it writes") == true)
    }

    @Test("Shapes fit")
    func shapes() {
        func check(
            _ reason: String, width: Int = 4,
            _ operation: (inout ForwardPlan, _ input: ValueID, _ output: ValueID) -> DeviceOperation
        ) {
            let found = failure { plan, input in
                let output = plan.addValue(rows: .tokens, width: width)
                plan.append(operation(&plan, input, output))
                let four = plan.addValue(rows: .tokens, width: 4)
                plan.append(.slice(input: output, offset: 0, output: four))
                return four
            }
            #expect(found?.contains(reason) == true, "\(found ?? "no error"), not \(reason)")
        }
        let rotary = RotaryEmbedding(frequencies: [1, 1, 1], pairing: .halves)
        check("the input: 4, rows of up: 5") {
            .linear(input: $1, weights: $0.addMatrix("up", Self.matrix(4, 5)), bias: nil, output: $2)
        }
        check("up.bias: 3, the output: 4") {
            .linear(
                input: $1, weights: $0.addMatrix("up", Self.matrix(4, 4)), bias: $0.addVector("up.bias", [1, 2, 3]),
                output: $2)
        }
        check("4 is no multiple of 3") {
            .rmsNorm(input: $1, weight: $0.addVector("norm", [1, 1, 1]), epsilon: 1, output: $2)
        }
        check("norm has 3 numbers, a group 2 and the row 4") {
            .layerNorm(
                input: $1, weight: $0.addVector("norm", [1, 1, 1]), bias: nil, groupSize: 2, epsilon: 1, output: $2)
        }
        check("3 pairs do not fit into a head of 4") {
            .rotaryEmbedding(input: $1, headSize: 4, rotary: rotary, output: $2)
        }
        check("%1 is [tokens, 6] and %0 is [tokens, 4]", width: 6) {
            .activation(input: $1, activation: .gelu, output: $2)
        }
        check("columns 1 to 5 of a row of 4 numbers") { .slice(input: $1, offset: 1, output: $2) }
        check("sinks: 1, heads: 2") { plan, input, output in
            let layer = plan.addCacheLayer(CacheLayer(keyValueHeadCount: 1, headSize: 2))
            let key = plan.addValue(rows: .tokens, width: 2)
            plan.append(.slice(input: input, offset: 0, output: key))
            plan.append(.writeKV(layer: layer, key: key, value: key))
            let shape = AttentionShape(queryHeadCount: 2, scale: 1, sinks: plan.addVector("sinks", [1]))
            return .pagedAttention(layer: layer, query: input, attention: shape, output: output)
        }
    }
}
