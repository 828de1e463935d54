import Backends

/// `output = input / sqrt(mean(input²) + epsilon) * weight`, for each group of a row (`norm.comp`).
struct NormKernel: Kernel {
    enum Binding: KernelBinding { case input, weights, output }

    struct Parameters: KernelParameters {
        var groupSize: UInt32
        var input: RowLayout
        var output: RowLayout
        var weightOffset: UInt32
        var epsilon: Float
    }

    static let operations = [KernelOperation("norm", .reducing("norm", [PackageResources.norm_comp]))]

    /// Invocations of a workgroup, which has one group of one row.
    let invocationCount: Int

    var definitions: ShaderDefinitions { ["GROUP": invocationCount] }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let input = ElementwiseGroup.testRows(seed: 1)
        let layout = ElementwiseGroup.testLayout
        let weight = SelfTestCase.numbers(Int(layout.stride), seed: 2)
        return SelfTestCase(
            Self.self,
            bindings: [
                .input: SelfTestCase.bits(input), .weights: SelfTestCase.bits(weight),
                .output: SelfTestCase.unwritten(input.count),
            ],
            parameters: Parameters(
                groupSize: layout.stride, input: layout, output: layout, weightOffset: 0, epsilon: Self.testEpsilon),
            rowCount: 2, output: .output, expected: Self.normed(input.map { Double($0) }, weight))
    }

    static let testEpsilon: Float = 1e-5

    /// `numbers` normed in groups as long as `weight`, with `testEpsilon`.
    static func normed(_ numbers: [Double], _ weight: [Float]) -> [Double] {
        stride(from: 0, to: numbers.count, by: weight.count).flatMap { start in
            let group = numbers[start..<start + weight.count]
            let mean = group.reduce(0) { $0 + $1 * $1 } / Double(weight.count)
            return zip(group, weight).map { $0 / (mean + 1e-5).squareRoot() * Double($1) }
        }
    }
}

extension KernelShapes {
    /// Invocations of a workgroup that norms a row, a power of two. Each has several numbers of it.
    var normGroup: Int { capabilities.isProcessor || capabilities.maxInvocationCount < 512 ? 128 : 512 }
}

extension ProgramBuilder {
    mutating func norm(
        _ input: ValueID, _ weight: VectorID, _ epsilon: Float, _ output: ValueID
    ) throws(BackendError) {
        let groupSize = plan[weight].elements.count
        let dispatch = Dispatch(
            NormKernel.self, try kernels(for: NormKernel(invocationCount: shapes.normGroup)),
            bindings: [.input: memory.range(input), .weights: weights.vectors, .output: memory.range(output)],
            parameters: .init(
                groupSize: UInt32(groupSize), input: rowLayout(of: input), output: rowLayout(of: output),
                weightOffset: UInt32(weights.offset(of: weight)), epsilon: epsilon),
            rows: DispatchRows(plan[output].rows), groupCount: plan[input].width / groupSize,
            label: "norm \(plan[input].width)", bytesPerRow: plan[input].width * 8,
            workPerRow: plan[input].width * 4)
        append([dispatch], reading: [memory.range(input)], writing: [memory.range(output)])
    }
}
