import Backends
import CLibrary
import SharedValues
import Tensors

/// `output = left + right` (`add.comp`).
struct AddKernel: Kernel {
    enum Binding: KernelBinding { case left, right, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        var left: RowLayout
        var right: RowLayout
        var output: RowLayout
    }

    static let operations = [KernelOperation("add", parts: [PackageResources.add_comp])]

    var definitions: ShaderDefinitions { ElementwiseGroup.definitions }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let (left, right) = (ElementwiseGroup.testRows(seed: 8), ElementwiseGroup.testRows(seed: 9))
        let layout = ElementwiseGroup.testLayout
        return SelfTestCase(
            Self.self,
            bindings: [
                .left: SelfTestCase.bits(left), .right: SelfTestCase.bits(right),
                .output: SelfTestCase.unwritten(left.count),
            ],
            parameters: Parameters(width: layout.stride, left: layout, right: layout, output: layout),
            rowCount: 2, groupCount: 2, output: .output, expected: zip(left, right).map { Double($0 + $1) })
    }
}

/// `output[s] = input[rows[s]]` (`gather.comp`).
struct GatherKernel: Kernel {
    enum Binding: KernelBinding { case rows, input, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        var input: RowLayout
        var output: RowLayout
    }

    static let operations = [KernelOperation("gather", parts: [PackageResources.gather_comp])]

    var definitions: ShaderDefinitions { ElementwiseGroup.definitions }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let input = ElementwiseGroup.testRows(3, seed: 10)
        let layout = ElementwiseGroup.testLayout
        return SelfTestCase(
            Self.self,
            bindings: [.rows: [2, 0], .input: SelfTestCase.bits(input), .output: SelfTestCase.unwritten(140)],
            parameters: Parameters(width: layout.stride, input: layout, output: layout), rowCount: 2, groupCount: 2,
            output: .output, expected: (input[140...] + input[..<70]).map { Double($0) })
    }
}

/// `output[t][i] = input[t][order[i]]` (`reorder.comp`): activations in the order of a matrix's inputs.
struct ReorderKernel: Kernel {
    enum Binding: KernelBinding { case order, input, output }

    typealias Parameters = GatherKernel.Parameters

    static let operations = [KernelOperation("reorder", parts: [PackageResources.reorder_comp])]

    var definitions: ShaderDefinitions { ElementwiseGroup.definitions }

    /// Two rows, the last number first.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let input = ElementwiseGroup.testRows(seed: 15)
        let layout = ElementwiseGroup.testLayout
        return SelfTestCase(
            Self.self,
            bindings: [
                .order: (0..<layout.stride).reversed(), .input: SelfTestCase.bits(input),
                .output: SelfTestCase.unwritten(140),
            ],
            parameters: Parameters(width: layout.stride, input: layout, output: layout), rowCount: 2, groupCount: 2,
            output: .output, expected: (input[..<70].reversed() + input[70...].reversed()).map { Double($0) })
    }
}

/// `output = cap * tanh(input / cap)` (`soft_cap.comp`).
struct SoftCapKernel: Kernel {
    enum Binding: KernelBinding { case input, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        var input: RowLayout
        var output: RowLayout
        var cap: Float
    }

    static let operations = [
        KernelOperation("soft_cap", parts: [PackageResources.soft_capping_glsl, PackageResources.soft_cap_comp])
    ]

    var definitions: ShaderDefinitions { ElementwiseGroup.definitions }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let input = ElementwiseGroup.testRows(seed: 11).map { $0 * 9 }
        let layout = ElementwiseGroup.testLayout
        return SelfTestCase(
            Self.self, bindings: [.input: SelfTestCase.bits(input), .output: SelfTestCase.unwritten(140)],
            parameters: Parameters(width: layout.stride, input: layout, output: layout, cap: 3), rowCount: 2,
            groupCount: 2, output: .output, expected: input.map { 3 * tanh(Double($0) / 3) })
    }
}

/// What kernels share whose invocations compute one number each.
enum ElementwiseGroup {
    /// Numbers of a row that a workgroup computes.
    static let size = 64

    static var definitions: ShaderDefinitions { ["GROUP": size] }

    /// Workgroups that compute a row.
    static func count(width: Int) -> Int { width.dividedUp(by: size) }

    /// Rows of self-tests: a workgroup and a part of another one.
    static let testLayout = RowLayout(stride: 70)

    static func testRows(_ count: Int = 2, seed: Int) -> [Float] {
        SelfTestCase.numbers(count * Int(testLayout.stride), seed: seed)
    }
}

extension ProgramBuilder {
    mutating func add(_ left: ValueID, _ right: ValueID, _ output: ValueID) throws(BackendError) {
        try elementwise(
            AddKernel(),
            bindings: [.left: memory.range(left), .right: memory.range(right), .output: memory.range(output)],
            parameters: .init(
                width: UInt32(plan[output].width), left: rowLayout(of: left), right: rowLayout(of: right),
                output: rowLayout(of: output)),
            inputs: [left, right], output: output, work: 1)
    }

    mutating func gather(_ input: ValueID, _ output: ValueID) throws(BackendError) {
        try elementwise(
            GatherKernel(),
            bindings: [
                .rows: batch.range(.sampleRows), .input: memory.range(input), .output: memory.range(output),
            ],
            parameters: .init(
                width: UInt32(plan[input].width), input: rowLayout(of: input), output: rowLayout(of: output)),
            inputs: [input], output: output, work: 0)
    }

    mutating func reorder(_ input: ValueID, _ matrix: MatrixID, _ output: ValueID) throws(BackendError) {
        guard let order = plan[matrix].weights.inputOrder else { preconditionFailure("inputs that are in order") }
        try elementwise(
            ReorderKernel(),
            bindings: [
                .order: weights.order(order), .input: memory.range(input), .output: memory.range(output),
            ],
            parameters: .init(
                width: UInt32(plan[input].width), input: rowLayout(of: input), output: rowLayout(of: output)),
            inputs: [input], output: output, work: 0)
    }

    mutating func softCap(_ input: ValueID, _ cap: Float, _ output: ValueID) throws(BackendError) {
        try elementwise(
            SoftCapKernel(), bindings: [.input: memory.range(input), .output: memory.range(output)],
            parameters: .init(
                width: UInt32(plan[input].width), input: rowLayout(of: input), output: rowLayout(of: output), cap: cap),
            inputs: [input], output: output, work: 3)
    }

    /// Appends the dispatch of a kernel whose invocations compute a number of `output` each, from one number of each of
    /// `inputs`.
    /// `work`: operations for each number.
    mutating func elementwise<K: Kernel>(
        _ kernel: K, bindings: [K.Binding: MemoryRange], parameters: K.Parameters, inputs: [ValueID], output: ValueID,
        work: Int
    ) throws(BackendError) {
        let width = plan[output].width
        let dispatch = Dispatch(
            K.self, try kernels(for: kernel), bindings: bindings, parameters: parameters,
            rows: DispatchRows(plan[output].rows), groupCount: ElementwiseGroup.count(width: width),
            label: "\(kernel.operation.name) \(width)", bytesPerRow: (inputs.count + 1) * width * 4,
            workPerRow: work * width)
        append([dispatch], reading: inputs.map { memory.range($0) }, writing: [memory.range(output)])
    }
}
