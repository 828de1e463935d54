import Backends

/// Head `h` of the output: columns of one value, columns of another one, zeros (`concat_heads.comp`).
struct ConcatHeadsKernel: Kernel {
    enum Binding: KernelBinding { case first, second, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        var headSize: UInt32
        /// The offsets count the columns before those of head 0 as well.
        var first: RowLayout
        var firstHeadStride: UInt32
        var firstWidth: UInt32
        var second: RowLayout
        var secondHeadStride: UInt32
        /// 0: there is no second value.
        var secondWidth: UInt32
        var output: RowLayout
    }

    static let operations = [KernelOperation("concat_heads", parts: [PackageResources.concat_heads_comp])]

    var definitions: ShaderDefinitions { ElementwiseGroup.definitions }

    /// Six heads of a shared number, ten numbers of their own and a zero, in two rows.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let (first, second) = (ElementwiseGroup.testRows(seed: 53), ElementwiseGroup.testRows(seed: 54))
        var expected: [Double] = []
        for row in 0..<2 {
            for head in 0..<6 {
                expected.append(Double(first[row * 70 + 5]))
                expected += (0..<10).map { Double(second[row * 70 + 3 + head * 11 + $0]) }
                expected.append(0)
            }
        }
        return SelfTestCase(
            Self.self,
            bindings: [
                .first: SelfTestCase.bits(first), .second: SelfTestCase.bits(second),
                .output: SelfTestCase.unwritten(144),
            ],
            parameters: Parameters(
                width: 72, headSize: 12, first: RowLayout(stride: 70, offset: 5), firstHeadStride: 0, firstWidth: 1,
                second: RowLayout(stride: 70, offset: 3), secondHeadStride: 11, secondWidth: 10,
                output: RowLayout(stride: 72)),
            rowCount: 2, groupCount: 2, output: .output, expected: expected)
    }
}

extension ProgramBuilder {
    mutating func concatHeads(
        _ first: HeadColumns, _ second: HeadColumns?, _ headCount: Int, _ output: ValueID
    ) throws(BackendError) {
        let width = plan[output].width
        try elementwise(
            ConcatHeadsKernel(),
            bindings: [
                .first: memory.range(first.input), .second: memory.range((second ?? first).input),
                .output: memory.range(output),
            ],
            parameters: .init(
                width: UInt32(width), headSize: UInt32(width / headCount), first: rowLayout(of: first),
                firstHeadStride: UInt32(first.stride), firstWidth: UInt32(first.width),
                second: rowLayout(of: second ?? first), secondHeadStride: UInt32(second?.stride ?? 0),
                secondWidth: UInt32(second?.width ?? 0), output: rowLayout(of: output)),
            inputs: [first.input] + (second.map { [$0.input] } ?? []), output: output, work: 0)
    }

    private func rowLayout(of columns: HeadColumns) -> RowLayout {
        var layout = rowLayout(of: columns.input)
        layout.offset += UInt32(columns.offset)
        return layout
    }
}
