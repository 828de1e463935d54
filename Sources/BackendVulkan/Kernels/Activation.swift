import Backends

/// `output = activation(input)` (`activation.comp`).
struct ActivationKernel: Kernel {
    enum Binding: KernelBinding { case input, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        var input: RowLayout
        var output: RowLayout
        /// The numbers of xIELU; the other functions read none.
        var alphaPositive: Float = 0
        var alphaNegative: Float = 0
        var beta: Float = 0
        var epsilon: Float = 0
    }

    static let operations = [
        KernelOperation("activation", parts: [PackageResources.activations_glsl, PackageResources.activation_comp])
    ]

    let activation: PointwiseActivation

    var definitions: ShaderDefinitions { ElementwiseGroup.definitions + ["ACTIVATION": activation.code] }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let input = ElementwiseGroup.testRows(seed: 6).map { $0 * 8 }
        let layout = ElementwiseGroup.testLayout
        return SelfTestCase(
            Self.self,
            bindings: [.input: SelfTestCase.bits(input), .output: SelfTestCase.unwritten(input.count)],
            parameters: parameters(width: layout.stride, input: layout, output: layout), rowCount: 2, groupCount: 2,
            output: .output, expected: input.map { activation.applied(to: Double($0)) })
    }

    fileprivate func parameters(width: UInt32, input: RowLayout, output: RowLayout) -> Parameters {
        guard case .xielu(let alphaPositive, let alphaNegative, let beta, let epsilon) = activation else {
            return Parameters(width: width, input: input, output: output)
        }
        return Parameters(
            width: width, input: input, output: output, alphaPositive: alphaPositive, alphaNegative: alphaNegative,
            beta: beta, epsilon: epsilon)
    }
}

extension PointwiseActivation {
    /// Its number in `activations.glsl`.
    var code: Int {
        switch self {
        case .silu: 0
        case .geluTanh: 1
        case .gelu: 2
        case .relu: 3
        case .sigmoid: 4
        case .reluSquared: 5
        case .xielu: 6
        }
    }
}

extension ProgramBuilder {
    mutating func activation(
        _ input: ValueID, _ activation: PointwiseActivation, _ output: ValueID
    ) throws(BackendError) {
        let kernel = ActivationKernel(activation: activation)
        try elementwise(
            kernel, bindings: [.input: memory.range(input), .output: memory.range(output)],
            parameters: kernel.parameters(
                width: UInt32(plan[output].width), input: rowLayout(of: input), output: rowLayout(of: output)),
            inputs: [input], output: output, work: 4)
    }
}
