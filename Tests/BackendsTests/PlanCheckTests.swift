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
        check("columns 1 to 6 of a row of 4 numbers") {
            .concatHeads(
                first: HeadColumns($1, offset: 1, stride: 3, width: 2), second: nil, headCount: 2, output: $2)
        }
        check("the parts of a head do not fit into 2 numbers") {
            .concatHeads(
                first: HeadColumns($1, stride: 2, width: 2), second: HeadColumns($1, stride: 0, width: 1), headCount: 2,
                output: $2)
        }
        check("4 is no multiple of 3") {
            .concatHeads(first: HeadColumns($1, stride: 1, width: 1), second: nil, headCount: 3, output: $2)
        }
        check("sinks: 1, heads: 2") { plan, input, output in
            let layer = plan.addCacheLayer(CacheLayer(keyValueHeadCount: 1, headSize: 2))
            let key = plan.addValue(rows: .tokens, width: 2)
            plan.append(.slice(input: input, offset: 0, output: key))
            plan.append(.writeKV(layer: layer, key: key, value: key))
            let shape = AttentionShape(queryHeadCount: 2, scale: 1, sinks: plan.addVector("sinks", [1]))
            return .pagedAttention(layer: layer, query: input, attention: shape, output: output)
        }
    }

    @Test(
        "Each linear operation of a plan with adapters is followed by both products of an adapter, and nothing else changes"
    )
    func adapters() throws {
        var plan = ForwardPlan()
        let table = plan.addMatrix("table", Self.matrix(10, 4))
        let input = plan.addValue(rows: .tokens, width: 4)
        plan.append(.embed(table: table, scale: 1, output: input))
        let up = plan.addValue(rows: .tokens, width: 6)
        plan.append(
            .linear(
                input: input, weights: plan.addMatrix("up", rows: [6..<12], Self.matrix(6, 4)), bias: nil, output: up))
        let sampled = plan.addValue(rows: .samples, width: 6)
        plan.append(.gather(input: up, output: sampled))
        let logits = plan.addValue(rows: .samples, width: 10)
        plan.append(
            .linear(input: sampled, weights: plan.addMatrix("output", Self.matrix(10, 6)), bias: nil, output: logits))
        plan.setLogits(logits)
        let adapted = plan.withAdapters(AdapterLimits(slotCount: 3, rank: 2, elementType: .bf16))
        try adapted.check()
        #expect(
            adapted.description.split(separator: "\n") == [
                "%0 [tokens, 4] = embed(table f32 [10, 4])",
                "%4 [tokens, 6] = linear(%0, up (rows 6..<12) f32 [6, 4])",
                "%5 [tokens, 2] = selectedLinear(%0, 3 of up (down) bf16 [2, 4], adapters)",
                "%1 [tokens, 6] = selectedLinear(%5, 3 of up (up) bf16 [6, 2], adapters + %4)",
                "%2 [samples, 6] = gather(%1)",
                "%3 [samples, 10] = linear(%2, output f32 [10, 6])",
            ])
        #expect(adapted.adapterTargets.map(\.weight) == ["up"])
        #expect(adapted.adapterTargets[0].rows == [6..<12])
        #expect(adapted.matrixByteCount == plan.matrixByteCount + 3 * (2 * 4 + 6 * 2) * 2)
    }

    @Test("What adapters leave undefined is read by adapters only, and what they add to by nothing else")
    func undefinedRows() {
        func adapter(
            _ plan: inout ForwardPlan, _ input: ValueID, addend: ValueID?, elements: [Int] = [4, 4]
        ) -> ValueID {
            let slots = MatrixSlots(count: 1, outputSize: elements[0], inputSize: elements[1], elementType: .f32)
            let set = plan.addMatrixSlots("slots", slots)
            let output = plan.addValue(rows: .tokens, width: 4)
            plan.append(
                .selectedLinear(
                    input: input, set: set, bias: nil, selector: .adapters(addend: addend), output: output))
            return output
        }
        let read = failure { plan, input in adapter(&plan, input, addend: nil) }
        #expect(read?.contains("%1 is not defined for rows without an adapter") == true)
        let shared = failure { plan, input in
            let reduced = adapter(&plan, input, addend: nil)
            return adapter(&plan, reduced, addend: input)
        }
        #expect(shared?.contains("%0 is read by something else as well") == true)
        let wide = failure { plan, input in adapter(&plan, input, addend: nil, elements: [4, 5]) }
        #expect(wide?.contains("the input: 4, rows of slots: 5") == true)
    }
}
