import Backends
import CLibrary

/// Folds the partitions of single rows' contexts, in order (`attention_reduce.comp`); the output is floats or quantized
/// activations.
struct AttentionReduceKernel: Kernel {
    enum Binding: KernelBinding { case states, reductions, sinks, output }

    struct Parameters: KernelParameters {
        var output: RowLayout
        var headCount: UInt32
        /// 0: heads have no sinks.
        var hasSinks: UInt32
        var sinkOffset: UInt32
    }

    private static let floats = KernelOperation(
        "attention_reduce", parts: [PackageResources.softmax_state_glsl, PackageResources.attention_reduce_comp])
    private static let integers = KernelOperation(
        "attention_reduce_quantized",
        parts: QuantizedActivations.parts + [
            PackageResources.softmax_state_glsl, PackageResources.attention_reduce_comp,
        ])
    static let operations = [floats, integers]

    let headSize: Int
    /// What the output becomes; nil: it stays floats.
    let quantized: QuantizedActivations?

    var operation: KernelOperation { quantized == nil ? Self.floats : Self.integers }

    var definitions: ShaderDefinitions {
        let own: ShaderDefinitions = [
            "GROUP": 32, "HEAD_SIZE": headSize, "UNIT": KernelShapes.attentionUnit(headSize: headSize),
        ]
        return quantized.map { own + $0.definitions } ?? own
    }

    /// One row of two heads, each with a sink, whose context was summed up in two parts.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let stateSize = headSize + 2
        var states = SelfTestCase.numbers(4 * stateSize, seed: 33)
        for part in 0..<4 { states[part * stateSize + 1] = Float(part) + 1 }
        let sinks: [Float] = [-0.5, 0.7]
        var expected: [Double] = []
        for head in 0..<2 {
            let (first, second) = (head * stateSize, (2 + head) * stateSize)
            let weights = (exp(Double(states[first])), exp(Double(states[second])))
            let total =
                Double(states[first + 1]) * weights.0 + Double(states[second + 1]) * weights.1
                + exp(Double(sinks[head]))
            for number in 2..<stateSize {
                expected.append(
                    (Double(states[first + number]) * weights.0 + Double(states[second + number]) * weights.1) / total)
            }
        }
        let rows = ExpectedRows(expected, width: 2 * headSize, quantized: quantized)
        return SelfTestCase(
            Self.self,
            bindings: [
                .states: SelfTestCase.bits(states), .reductions: [0, 0, 2, 0], .sinks: SelfTestCase.bits(sinks),
            ],
            parameters: Parameters(
                output: RowLayout(stride: UInt32(rows.stride)), headCount: 2, hasSinks: 1, sinkOffset: 0),
            rowCount: 1, groupCount: 2, output: .output, rows: rows)
    }
}

extension ProgramBuilder {
    /// The reduction of the states that the attention dispatched before, over a layer of cache group `group`, has left.
    mutating func reduceAttention(
        headSize: Int, headCount: Int, group: Int, sinks: VectorID?, _ quantized: QuantizedActivations?,
        _ output: ValueID
    ) throws(BackendError) {
        let kernel = AttentionReduceKernel(headSize: headSize, quantized: quantized)
        let dispatch = Dispatch(
            AttentionReduceKernel.self, try kernels(for: kernel),
            bindings: [
                .states: memory.states, .reductions: batch.range(.reductions(group)), .sinks: weights.vectors,
                .output: memory.range(output),
            ],
            parameters: .init(
                output: rowLayout(of: output), headCount: UInt32(headCount), hasSinks: sinks == nil ? 0 : 1,
                sinkOffset: UInt32(sinks.map { weights.offset(of: $0) } ?? 0)),
            rows: .reductions(group: group),
            groupCount: headCount, label: "attention, reduced", bytesPerRow: headCount * headSize * 4)
        append([dispatch], reading: [memory.states], writing: [memory.range(output)])
    }
}
