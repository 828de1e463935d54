import Backends

/// `output = input[:, offset ..< offset + width]` (`slice.comp`).
struct SliceKernel: Kernel {
    enum Binding: KernelBinding { case input, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        /// The offset counts the columns before the slice as well.
        var input: RowLayout
        var output: RowLayout
    }

    static let operations = [KernelOperation("slice", parts: [PackageResources.slice_comp])]

    var definitions: ShaderDefinitions { ElementwiseGroup.definitions }

    /// Columns 3 to 67 of two rows of 70.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let input = ElementwiseGroup.testRows(seed: 52)
        return SelfTestCase(
            Self.self,
            bindings: [.input: SelfTestCase.bits(input), .output: SelfTestCase.unwritten(2 * 65)],
            parameters: Parameters(
                width: 65, input: RowLayout(stride: 70, offset: 3), output: RowLayout(stride: 65)),
            rowCount: 2, groupCount: 2, output: .output,
            expected: (input[3..<68] + input[73..<138]).map { Double($0) })
    }
}

extension ProgramBuilder {
    mutating func slice(_ input: ValueID, _ offset: Int, _ output: ValueID) throws(BackendError) {
        var source = rowLayout(of: input)
        source.offset += UInt32(offset)
        try elementwise(
            SliceKernel(), bindings: [.input: memory.range(input), .output: memory.range(output)],
            parameters: .init(width: UInt32(plan[output].width), input: source, output: rowLayout(of: output)),
            inputs: [input], output: output, work: 0)
    }
}
