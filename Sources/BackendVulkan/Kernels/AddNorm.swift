import Backends
import SharedValues

/// `sum = left + right`, and `output = sum / sqrt(mean(sum²) + epsilon) * weight` as floats or as quantized activations
/// (`add_norm.comp`): the residual stream in one pass.
struct AddNormKernel: Kernel {
    enum Binding: KernelBinding { case left, right, weights, sum, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        var left: RowLayout
        var right: RowLayout
        var sum: RowLayout
        var output: RowLayout
        var weightOffset: UInt32
        var epsilon: Float
    }

    private static let floats = KernelOperation("add_norm", .reducing("add_norm", [PackageResources.add_norm_comp]))
    private static let integers = KernelOperation(
        "add_norm_quantized",
        .reducing("add_norm_quantized", [PackageResources.add_norm_comp], before: QuantizedActivations.parts))
    static let operations = [floats, integers]

    let tiling: KernelShapes.AddNormTiling
    /// What the output becomes; nil: it stays floats.
    let quantized: QuantizedActivations?

    var operation: KernelOperation { quantized == nil ? Self.floats : Self.integers }

    var definitions: ShaderDefinitions {
        let own: ShaderDefinitions = [
            "GROUP": tiling.invocationCount, "PIECES_OF_ROW": tiling.pieceCount, "PARTS": tiling.groupCount,
        ]
        return quantized.map { own + $0.definitions } ?? own
    }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let (left, right) = (ElementwiseGroup.testRows(seed: 3), ElementwiseGroup.testRows(seed: 4))
        let layout = ElementwiseGroup.testLayout
        let weight = SelfTestCase.numbers(Int(layout.stride), seed: 5)
        let rows = ExpectedRows(
            NormKernel.normed(zip(left, right).map { Double($0 + $1) }, weight), width: weight.count,
            quantized: quantized)
        return SelfTestCase(
            Self.self,
            bindings: [
                .left: SelfTestCase.bits(left), .right: SelfTestCase.bits(right), .weights: SelfTestCase.bits(weight),
                .sum: SelfTestCase.unwritten(left.count),
            ],
            parameters: Parameters(
                width: layout.stride, left: layout, right: layout, sum: layout,
                output: RowLayout(stride: UInt32(rows.stride)), weightOffset: 0, epsilon: NormKernel.testEpsilon),
            rowCount: 2, groupCount: tiling.groupCount, output: .output, rows: rows)
    }
}

extension KernelShapes {
    /// How a row is normed: in pieces of four numbers for each invocation.
    struct AddNormTiling: Hashable {
        let invocationCount: Int
        /// Pieces of a row.
        let pieceCount: Int
        /// Workgroups that share the pieces.
        let groupCount: Int
    }

    /// Each workgroup reads all of the row, which costs a CPU more than it gains.
    func addNormTiling(width: Int) -> AddNormTiling {
        let count = width.dividedUp(by: 4 * normGroup)
        return AddNormTiling(
            invocationCount: normGroup, pieceCount: count, groupCount: capabilities.isProcessor ? 1 : count)
    }
}

extension ProgramBuilder {
    mutating func addNorm(
        _ left: ValueID, _ right: ValueID, _ sum: ValueID, _ weight: VectorID, _ epsilon: Float,
        _ quantized: QuantizedActivations?, _ output: ValueID
    ) throws(BackendError) {
        let width = plan[sum].width
        let kernel = AddNormKernel(tiling: shapes.addNormTiling(width: width), quantized: quantized)
        let sources = [memory.range(left), memory.range(right)]
        let targets = [memory.range(sum), memory.range(output)]
        let dispatch = Dispatch(
            AddNormKernel.self, try kernels(for: kernel),
            bindings: [
                .left: sources[0], .right: sources[1], .weights: weights.vectors, .sum: targets[0],
                .output: targets[1],
            ],
            parameters: .init(
                width: UInt32(width), left: rowLayout(of: left), right: rowLayout(of: right),
                sum: rowLayout(of: sum), output: rowLayout(of: output),
                weightOffset: UInt32(weights.offset(of: weight)), epsilon: epsilon),
            rows: DispatchRows(plan[output].rows), groupCount: kernel.tiling.groupCount,
            label: "add and norm \(width)", bytesPerRow: (width * 3 + plan[output].width) * 4, workPerRow: width * 5)
        append([dispatch], reading: sources, writing: targets)
    }
}
