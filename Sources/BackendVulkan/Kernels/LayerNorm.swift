import Backends

/// `output = (input - mean) / sqrt(variance + epsilon) * weight + bias`, for each group of a row (`layer_norm.comp`).
struct LayerNormKernel: Kernel {
    enum Binding: KernelBinding { case input, vectors, output }

    struct Parameters: KernelParameters {
        var groupSize: UInt32
        var input: RowLayout
        var output: RowLayout
        var weight: GroupVector
        var bias: GroupVector
        var epsilon: Float
    }

    /// A vector with numbers for each group of a row.
    struct GroupVector: ParameterGroup {
        /// 0: there is none.
        var isThere: UInt32 = 0
        /// The offset of the first group's numbers.
        var offset: UInt32 = 0
        /// From one group's numbers to the next one's; 0: all groups share them.
        var groupStride: UInt32 = 0
    }

    static let operations = [KernelOperation("layer_norm", .reducing("layer_norm", [PackageResources.layer_norm_comp]))]

    /// Invocations of a workgroup, which has one group of one row.
    let invocationCount: Int

    var definitions: ShaderDefinitions { ["GROUP": invocationCount] }

    /// Two rows of two groups, each with a weight of its own and the same bias, far from zero.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let input = SelfTestCase.numbers(2 * 2 * 70, seed: 53).map { $0 + 5 }
        let vectors = SelfTestCase.numbers(3 * 70, seed: 54)
        var expected: [Double] = []
        for start in stride(from: 0, to: input.count, by: 70) {
            let group = input[start..<start + 70].map { Double($0) }
            let mean = group.reduce(0, +) / 70
            let variance = group.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 70
            let weights = vectors[(start / 70 % 2) * 70..<(start / 70 % 2 + 1) * 70]
            for ((number, weight), bias) in zip(zip(group, weights), vectors[140...]) {
                let factor = Double(weight) / (variance + Double(NormKernel.testEpsilon)).squareRoot()
                expected.append((number - mean) * factor + Double(bias))
            }
        }
        return SelfTestCase(
            Self.self,
            bindings: [
                .input: SelfTestCase.bits(input), .vectors: SelfTestCase.bits(vectors),
                .output: SelfTestCase.unwritten(input.count),
            ],
            parameters: Parameters(
                groupSize: 70, input: RowLayout(stride: 140), output: RowLayout(stride: 140),
                weight: GroupVector(isThere: 1, offset: 0, groupStride: 70), bias: GroupVector(isThere: 1, offset: 140),
                epsilon: NormKernel.testEpsilon),
            rowCount: 2, groupCount: 2, output: .output, expected: expected)
    }
}

extension ProgramBuilder {
    mutating func layerNorm(
        _ input: ValueID, _ weight: VectorID?, _ bias: VectorID?, _ groupSize: Int, _ epsilon: Float, _ output: ValueID
    ) throws(BackendError) {
        let width = plan[input].width
        let dispatch = Dispatch(
            LayerNormKernel.self, try kernels(for: LayerNormKernel(invocationCount: shapes.normGroup)),
            bindings: [.input: memory.range(input), .vectors: weights.vectors, .output: memory.range(output)],
            parameters: .init(
                groupSize: UInt32(groupSize), input: rowLayout(of: input), output: rowLayout(of: output),
                weight: groupVector(weight, groupSize), bias: groupVector(bias, groupSize), epsilon: epsilon),
            rows: DispatchRows(plan[output].rows), groupCount: width / groupSize, label: "layer norm \(width)",
            bytesPerRow: width * 8, workPerRow: width * 7)
        append([dispatch], reading: [memory.range(input)], writing: [memory.range(output)])
    }

    private func groupVector(_ vector: VectorID?, _ groupSize: Int) -> LayerNormKernel.GroupVector {
        guard let vector else { return .init() }
        return .init(
            isThere: 1, offset: UInt32(weights.offset(of: vector)),
            groupStride: plan[vector].elements.count > groupSize ? UInt32(groupSize) : 0)
    }
}
