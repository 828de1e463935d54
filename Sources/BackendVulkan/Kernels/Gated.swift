import Backends
import CLibrary
import SharedValues

/// `output = activation(gate) * up` (`gated.comp`), or that as quantized activations (`gated_quantized.comp`).
struct GatedKernel: Kernel {
    enum Binding: KernelBinding { case gate, up, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        var gate: RowLayout
        var up: RowLayout
        var output: RowLayout
        /// 1: GELU by tanh; 0: SiLU.
        var isGelu: UInt32
    }

    private static let floats = KernelOperation(
        "gated", parts: [PackageResources.gated_glsl, PackageResources.gated_comp])
    private static let integers = KernelOperation(
        "gated_quantized",
        parts: QuantizedActivations.parts + [PackageResources.gated_glsl, PackageResources.gated_quantized_comp])
    static let operations = [floats, integers]

    /// What the output becomes; nil: it stays floats.
    let quantized: QuantizedActivations?

    var operation: KernelOperation { quantized == nil ? Self.floats : Self.integers }

    var definitions: ShaderDefinitions {
        quantized.map { $0.definitions + ["GROUP": QuantizedActivations.group] } ?? ElementwiseGroup.definitions
    }

    /// Workgroups that compute a row.
    func groupCount(width: Int) -> Int {
        quantized == nil
            ? ElementwiseGroup.count(width: width) : width.dividedUp(by: QuantizedActivations.numbersPerGroup)
    }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let gate = ElementwiseGroup.testRows(seed: 6).map { $0 * 8 }
        let up = ElementwiseGroup.testRows(seed: 7)
        let layout = ElementwiseGroup.testLayout
        let rows = ExpectedRows(
            zip(gate, up).map { Double($0) / (1 + exp(-Double($0))) * Double($1) }, width: Int(layout.stride),
            quantized: quantized)
        return SelfTestCase(
            Self.self, bindings: [.gate: SelfTestCase.bits(gate), .up: SelfTestCase.bits(up)],
            parameters: Parameters(
                width: layout.stride, gate: layout, up: layout, output: RowLayout(stride: UInt32(rows.stride)),
                isGelu: 0),
            rowCount: 2, groupCount: 2, output: .output, rows: rows)
    }
}

extension ProgramBuilder {
    mutating func gated(
        _ gate: ValueID, _ up: ValueID, _ activation: Activation, _ quantized: QuantizedActivations?,
        _ output: ValueID
    ) throws(BackendError) {
        let isGelu: UInt32 =
            switch activation {
            case .silu: 0
            case .geluTanh: 1
            case .gelu, .relu, .sigmoid:
                throw .unsupported(
                    operation: "gatedActivation", reason: "the vulkan backend has no kernel for \(activation.rawValue)")
            }
        let kernel = GatedKernel(quantized: quantized)
        let sources = [memory.range(gate), memory.range(up)]
        let target = memory.range(output)
        let width = plan[gate].width
        let dispatch = Dispatch(
            GatedKernel.self, try kernels(for: kernel),
            bindings: [.gate: sources[0], .up: sources[1], .output: target],
            parameters: .init(
                width: UInt32(width), gate: rowLayout(of: gate), up: rowLayout(of: up),
                output: rowLayout(of: output), isGelu: isGelu),
            rows: DispatchRows(plan[output].rows), groupCount: kernel.groupCount(width: width),
            label: "gated \(width)", bytesPerRow: (2 * width + plan[output].width) * 4, workPerRow: 5 * width)
        append([dispatch], reading: sources, writing: [target])
    }
}
