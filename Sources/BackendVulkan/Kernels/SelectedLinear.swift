import Backends
import SharedValues
import Tensors

/// Each row times the matrices that its route names, on unquantized weights: the GEMV of `LinearKernel` for one row, with
/// the tile of the weights looked up.
struct SelectedLinearKernel: Kernel {
    enum Binding: KernelBinding { case input, weights, bias, routes, output }

    struct Parameters: KernelParameters {
        var linear: LinearKernel.Parameters
        var selection: MatrixSelection
    }

    static let operations = [
        KernelOperation(
            "selected_gemv",
            parts: [
                PackageResources.numbers_glsl, PackageResources.dense_weights_glsl, PackageResources.linear_glsl,
                PackageResources.gemv_glsl, PackageResources.gemv_comp,
            ])
    ]

    let type: ElementType
    let tiling: LinearTiling

    var definitions: ShaderDefinitions {
        LinearKernel.weightDefinitions(type) + tiling.definitions + ["SELECTED": 1]
    }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let matrix = DenseTestMatrix(type)
        let test = SelectedTest(inputSize: DenseTestMatrix.inputSize, matrix.numbers, bound: 1)
        return SelfTestCase(
            Self.self,
            bindings: [
                .input: SelfTestCase.bits(test.input), .weights: matrix.words, .bias: SelfTestCase.bits(test.bias),
                .routes: SelfTestCase.bits(SelectedTest.routes),
                .output: SelfTestCase.unwritten(test.expected.count),
            ],
            parameters: .init(linear: test.parameters, selection: test.selection), rowCount: 2, groupCount: 2,
            output: .output, expected: test.expected)
    }
}

/// The same on quantized weights and floats: the GEMV of `QuantizedLinearKernel`.
struct SelectedQuantizedLinearKernel: Kernel {
    enum Binding: KernelBinding { case input, codes, scales, bias, routes, output }

    struct Parameters: KernelParameters {
        var linear: LinearKernel.Parameters
        var group: QuantizationGroups
        var selection: MatrixSelection
    }

    static let operations = [
        KernelOperation(
            "selected_gemv_quantized",
            parts: [
                PackageResources.quantized_weights_glsl, PackageResources.linear_glsl, PackageResources.gemv_glsl,
                PackageResources.gemv_slices_glsl, PackageResources.gemv_quantized_comp,
            ])
    ]

    let format: QuantizedFormat
    let isWhole: Bool
    let tiling: LinearTiling

    var definitions: ShaderDefinitions {
        format.definitions + tiling.definitions + ["ENDS_IN_SLICE": isWhole ? 0 : 1, "SELECTED": 1]
    }
    var unpacksHalfScales: Bool { format.scaleType == .f16 }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let matrix = QuantizedTestMatrix(format, isWhole: isWhole)
        let test = SelectedTest(
            inputSize: matrix.stored.inputSize, matrix.stored.dequantized().floats(), bound: 1.0 / 320)
        return SelfTestCase(
            Self.self,
            bindings: [
                .input: SelfTestCase.bits(test.input), .codes: matrix.codes, .scales: matrix.scales,
                .bias: SelfTestCase.bits(test.bias), .routes: SelfTestCase.bits(SelectedTest.routes),
                .output: SelfTestCase.unwritten(test.expected.count),
            ],
            parameters: .init(linear: test.parameters, group: matrix.groups, selection: test.selection), rowCount: 2,
            groupCount: 2, output: .output, expected: test.expected)
    }
}

/// How a workgroup finds its matrix.
struct MatrixSelection: KernelParameters {
    var routes: RowLayout
    /// Tiles of a matrix.
    var matrixTiles: UInt32
    /// The tiles of the set that are in the bound buffer.
    var firstTile: UInt32
    var tileCount: UInt32
    /// From the input of one choice to that of the next, in `vec4`; 0: they read the same.
    var choiceStride: UInt32
}

/// Two rows with two choices each, of a set of two matrices of thirty outputs. The matrices are those of the tests of
/// linear kernels, forty rows of which the second matrix has eight and then zeros.
private struct SelectedTest {
    static let routes: [Float] = [1, 0, 0.5, 0.5, 0, 1, 0.5, 0.5]
    private static let outputSize = 30

    let input: [Float]
    let bias: [Float]
    let expected: [Double]
    let parameters: LinearKernel.Parameters
    let selection: MatrixSelection

    init(inputSize: Int, _ weights: [Float], bound: Float) {
        let stride = inputSize.roundedUp(to: 4)
        let numbers = SelfTestCase.numbers(4 * inputSize, seed: 74)
        input = SelfTestCase.padded(numbers, width: inputSize, stride: stride)
        let bias = SelfTestCase.numbers(2 * Self.outputSize, seed: 75).map { $0 * bound }
        self.bias = bias
        var expected: [Double] = []
        for pair in 0..<4 {
            let matrix = Int(Self.routes[pair / 2 * 4 + pair % 2])
            for output in 0..<Self.outputSize {
                let row = matrix * DeviceMatrix.tile + output
                var sum = Double(bias[matrix * Self.outputSize + output])
                for input in 0..<inputSize where row * inputSize < weights.count {
                    sum += Double(numbers[pair * inputSize + input]) * Double(weights[row * inputSize + input])
                }
                expected.append(sum)
            }
        }
        self.expected = expected
        parameters = LinearKernel.Parameters(
            inputSize: UInt32(inputSize), outputSize: UInt32(Self.outputSize),
            input: RowLayout(stride: UInt32(2 * stride / 4)), output: RowLayout(stride: UInt32(2 * Self.outputSize)),
            hasBias: 1, biasOffset: 0)
        selection = MatrixSelection(
            routes: RowLayout(stride: 4), matrixTiles: 1, firstTile: 0, tileCount: 2,
            choiceStride: UInt32(stride / 4))
    }
}

extension ProgramBuilder {
    /// One dispatch for each part of the set, in which workgroups end whose matrix is in another part.
    mutating func selectedLinear(
        _ input: ValueID, _ set: MatrixSetID, _ bias: VectorID?, _ routes: ValueID, _ output: ValueID
    ) throws(BackendError) {
        let matrix = weights.matrix(set)
        let (inputSize, outputSize) = (plan[set].inputSize, plan[set].outputSize)
        let choiceCount = plan[routes].width / 2
        let isShared = plan[input].width == inputSize
        let (source, target) = (rowLayout(of: input), rowLayout(of: output))
        guard source.stride % 4 == 0, source.offset % 4 == 0, isShared || inputSize % 4 == 0 else {
            throw .unsupported(
                operation: "selectedLinear", reason: "experts with \(inputSize) inputs, no multiple of 4")
        }
        let matrixTiles = outputSize.dividedUp(by: DeviceMatrix.tile)
        let tiling = shapes.linearTiling(rows: 1, inputSize: inputSize, outputSize: outputSize, limbCount: nil)
        let biasOffset = bias.map { weights.offset(of: $0) }
        let parameters = LinearKernel.Parameters(
            inputSize: UInt32(inputSize), outputSize: UInt32(outputSize),
            input: RowLayout(stride: source.stride / 4, offset: source.offset / 4), output: target,
            hasBias: biasOffset == nil ? 0 : 1, biasOffset: UInt32(biasOffset ?? 0))
        var dispatches: [Dispatch] = []
        for part in matrix.parts {
            let selection = MatrixSelection(
                routes: rowLayout(of: routes), matrixTiles: UInt32(matrixTiles),
                firstTile: UInt32(part.firstRow / DeviceMatrix.tile),
                tileCount: UInt32(part.rowCount.dividedUp(by: DeviceMatrix.tile)),
                choiceStride: UInt32(isShared ? 0 : inputSize / 4))
            func dispatch<K: Kernel>(
                _ kernel: K, _ bindings: [K.Binding: MemoryRange], _ parameters: K.Parameters
            ) throws(BackendError) -> Dispatch {
                Dispatch(
                    K.self, try kernels(for: kernel), bindings: bindings, parameters: parameters,
                    rows: DispatchRows(plan[output].rows), groupCount: choiceCount * matrixTiles,
                    label: "experts \(inputSize) to \(outputSize) \(matrix.format)",
                    bytesPerRow: choiceCount * matrix.format.rowByteCount(inputSize: inputSize) * outputSize,
                    workPerRow: 2 * choiceCount * inputSize * outputSize)
            }
            switch matrix.format {
            case .dense(let type):
                dispatches.append(
                    try dispatch(
                        SelectedLinearKernel(type: type, tiling: tiling),
                        [
                            .input: memory.range(input), .weights: part.ranges[0], .bias: weights.vectors,
                            .routes: memory.range(routes), .output: memory.range(output),
                        ], .init(linear: parameters, selection: selection)))
            case .quantized(let format):
                dispatches.append(
                    try dispatch(
                        SelectedQuantizedLinearKernel(
                            format: format, isWhole: inputSize % QuantizedFormat.slice == 0, tiling: tiling),
                        [
                            .input: memory.range(input), .codes: part.ranges[0], .scales: part.ranges[1],
                            .bias: weights.vectors, .routes: memory.range(routes), .output: memory.range(output),
                        ],
                        .init(
                            linear: parameters, group: format.groups(inputSize: inputSize), selection: selection)))
            }
        }
        append(
            dispatches, reading: [memory.range(input), memory.range(routes)], writing: [memory.range(output)])
    }
}
