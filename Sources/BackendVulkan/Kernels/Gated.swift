import Backends
import SharedValues

/// `output = activation(gate) * up`, or another function of both (`gated.comp`), or that as quantized activations (`gated_quantized.comp`).
struct GatedKernel: Kernel {
    enum Binding: KernelBinding { case gate, up, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        var gate: RowLayout
        var up: RowLayout
        var output: RowLayout
        /// The numbers of the clamped SwiGLU; the other functions read none.
        var alpha: Float = 0
        var limit: Float = 0
    }

    private static let shared = [PackageResources.activations_glsl, PackageResources.gated_glsl]
    private static let floats = KernelOperation("gated", parts: shared + [PackageResources.gated_comp])
    private static let integers = KernelOperation(
        "gated_quantized", parts: QuantizedActivations.parts + shared + [PackageResources.gated_quantized_comp])
    static let operations = [floats, integers]

    let activation: Activation
    /// What the output becomes; nil: it stays floats.
    let quantized: QuantizedActivations?

    var operation: KernelOperation { quantized == nil ? Self.floats : Self.integers }

    var definitions: ShaderDefinitions {
        let own: ShaderDefinitions = ["ACTIVATION": activation.code]
        return quantized.map { own + $0.definitions + ["GROUP": QuantizedActivations.group] }
            ?? own + ElementwiseGroup.definitions
    }

    /// Workgroups that compute a row.
    func groupCount(width: Int) -> Int {
        quantized == nil
            ? ElementwiseGroup.count(width: width) : width.dividedUp(by: QuantizedActivations.numbersPerGroup)
    }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let gate = ElementwiseGroup.testRows(seed: 6).map { $0 * 8 }
        let up = ElementwiseGroup.testRows(seed: 7).map { $0 * 8 }
        let layout = ElementwiseGroup.testLayout
        let rows = ExpectedRows(
            zip(gate, up).map { activation.applied(gate: Double($0), up: Double($1)) }, width: Int(layout.stride),
            quantized: quantized)
        return SelfTestCase(
            Self.self, bindings: [.gate: SelfTestCase.bits(gate), .up: SelfTestCase.bits(up)],
            parameters: parameters(
                width: layout.stride, gate: layout, up: layout, output: RowLayout(stride: UInt32(rows.stride))),
            rowCount: 2, groupCount: 2, output: .output, rows: rows)
    }

    fileprivate func parameters(width: UInt32, gate: RowLayout, up: RowLayout, output: RowLayout) -> Parameters {
        guard case .clampedSwiGLU(let alpha, let limit) = activation else {
            return Parameters(width: width, gate: gate, up: up, output: output)
        }
        return Parameters(width: width, gate: gate, up: up, output: output, alpha: alpha, limit: limit)
    }
}

extension Activation {
    /// Its number in `activations.glsl`.
    fileprivate var code: Int {
        switch self {
        case .silu, .geluTanh, .gelu, .relu, .sigmoid: pointwise?.code ?? 0
        case .clampedSwiGLU: 7
        }
    }
}

extension ProgramBuilder {
    mutating func gated(
        _ gate: ValueID, _ up: ValueID, _ activation: Activation, _ quantized: QuantizedActivations?,
        _ output: ValueID
    ) throws(BackendError) {
        let kernel = GatedKernel(activation: activation, quantized: quantized)
        let sources = [memory.range(gate), memory.range(up)]
        let target = memory.range(output)
        let width = plan[gate].width
        let dispatch = Dispatch(
            GatedKernel.self, try kernels(for: kernel),
            bindings: [.gate: sources[0], .up: sources[1], .output: target],
            parameters: kernel.parameters(
                width: UInt32(width), gate: rowLayout(of: gate), up: rowLayout(of: up),
                output: rowLayout(of: output)),
            rows: DispatchRows(plan[output].rows), groupCount: kernel.groupCount(width: width),
            label: "gated \(width)", bytesPerRow: (2 * width + plan[output].width) * 4, workPerRow: 5 * width)
        append([dispatch], reading: sources, writing: [target])
    }
}
