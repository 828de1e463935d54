import Backends

/// `output = input * factor` (`scale.comp`).
struct ScaleKernel: Kernel {
    enum Binding: KernelBinding { case input, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        var input: RowLayout
        var output: RowLayout
        var factor: Float
    }

    static let operations = [KernelOperation("scale", parts: [PackageResources.scale_comp])]

    var definitions: ShaderDefinitions { ElementwiseGroup.definitions }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let input = ElementwiseGroup.testRows(seed: 50)
        let layout = ElementwiseGroup.testLayout
        return SelfTestCase(
            Self.self,
            bindings: [.input: SelfTestCase.bits(input), .output: SelfTestCase.unwritten(input.count)],
            parameters: Parameters(width: layout.stride, input: layout, output: layout, factor: 0.3), rowCount: 2,
            groupCount: 2, output: .output, expected: input.map { Double($0 * 0.3) })
    }
}

/// `output[t] = input[t] * factors[position[t] / originalLength]` (`position_scale.comp`).
struct PositionScaleKernel: Kernel {
    enum Binding: KernelBinding { case positions, factors, input, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        var input: RowLayout
        var output: RowLayout
        var factorOffset: UInt32
        var originalLength: UInt32
    }

    static let operations = [KernelOperation("position_scale", parts: [PackageResources.position_scale_comp])]

    var definitions: ShaderDefinitions { ElementwiseGroup.definitions }

    /// Rows at the last position of one stretch and at the first of the next.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let input = ElementwiseGroup.testRows(seed: 51)
        let layout = ElementwiseGroup.testLayout
        let factors: [Float] = [9, 1, 1.5, 2]
        return SelfTestCase(
            Self.self,
            bindings: [
                .positions: [13, 14], .factors: SelfTestCase.bits(factors), .input: SelfTestCase.bits(input),
                .output: SelfTestCase.unwritten(input.count),
            ],
            parameters: Parameters(
                width: layout.stride, input: layout, output: layout, factorOffset: 1, originalLength: 7),
            rowCount: 2, groupCount: 2, output: .output,
            expected: input.enumerated().map { Double($1 * ($0 < 70 ? 1.5 : 2)) })
    }
}

extension ProgramBuilder {
    mutating func scale(_ input: ValueID, _ factor: Float, _ output: ValueID) throws(BackendError) {
        try elementwise(
            ScaleKernel(), bindings: [.input: memory.range(input), .output: memory.range(output)],
            parameters: .init(
                width: UInt32(plan[output].width), input: rowLayout(of: input), output: rowLayout(of: output),
                factor: factor),
            inputs: [input], output: output, work: 1)
    }

    mutating func positionScale(
        _ input: ValueID, _ scale: PositionScale, _ output: ValueID
    ) throws(BackendError) {
        try elementwise(
            PositionScaleKernel(),
            bindings: [
                .positions: batch.range(.positions), .factors: weights.vectors, .input: memory.range(input),
                .output: memory.range(output),
            ],
            parameters: .init(
                width: UInt32(plan[output].width), input: rowLayout(of: input), output: rowLayout(of: output),
                factorOffset: UInt32(weights.factorOffset(of: scale)), originalLength: UInt32(scale.originalLength)),
            inputs: [input], output: output, work: 1)
    }
}
