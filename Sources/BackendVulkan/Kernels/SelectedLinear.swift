import Backends
import Lowering
import SharedValues
import Tensors

/// How workgroups find their matrix and their rows (`linear.glsl`, SELECTED and GROUPED).
struct MatrixSelection: KernelParameters {
    var routes: RowLayout
    var choiceCount: UInt32
    /// The word of the list at which pairs begin.
    var pairsStart: UInt32
    /// The word of the list from which on there is, for each adapter slot, whether it has a matrix.
    var presenceStart: UInt32 = 0
    /// Tiles of a matrix.
    var matrixTiles: UInt32
    /// The tiles of the set that are in the bound buffer.
    var firstTile: UInt32
    var tileCount: UInt32
    /// From the input of one choice to that of the next, in the input's elements; 0: they read the same.
    var choiceStride: UInt32

    /// What a workgroup takes.
    enum Rows: Hashable {
        /// One row and choice, whose matrix it finds in the row's route.
        case single
        /// A tile of a list that the device made of the routes.
        case grouped
        /// A tile of a list that the host made of the batch's adapters. Products may be added to the output.
        case adapters(isAdding: Bool)

        var definitions: ShaderDefinitions {
            switch self {
            case .single: ["SELECTED": 1]
            case .grouped: ["GROUPED": 1]
            case .adapters(isAdding: false): ["GROUPED": 1, "ADAPTERS": 1]
            case .adapters(isAdding: true): ["GROUPED": 1, "ADAPTERS": 1, "ADDED": 1]
            }
        }

        /// Rows of a tile in a self-test of `variant`; nil where there are no tiles.
        fileprivate func testTile(_ variant: KernelVariant, _ tiling: LinearTiling) -> Int? {
            self == .single ? nil : variant.rowsPerGroup ?? tiling.rows
        }
    }
}

/// Each row times the matrices that its route names, on unquantized weights: the kernels of `LinearKernel`.
struct SelectedLinearKernel: Kernel {
    /// The selection is routes or, where rows are grouped, a list.
    enum Binding: KernelBinding { case input, weights, bias, selection, output }

    struct Parameters: KernelParameters {
        var linear: LinearKernel.Parameters
        var selection: MatrixSelection
    }

    static let operations = LinearKernel.operations.map(\.selecting)

    let linear: LinearKernel
    let rows: MatrixSelection.Rows

    var operation: KernelOperation { Self.operations[linear.batch.rawValue] }
    var definitions: ShaderDefinitions { linear.definitions + rows.definitions }

    /// Where products are added, the output starts as the biases, and there are no others.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let isAdding = rows == .adapters(isAdding: true)
        let matrix = DenseTestMatrix(linear.type)
        let test = SelectedTest(
            inputSize: DenseTestMatrix.inputSize, matrix.numbers, bound: 1,
            rowsPerTile: rows.testTile(variant, linear.tiling))
        return SelfTestCase(
            Self.self,
            bindings: [
                .input: SelfTestCase.bits(test.input), .weights: matrix.words, .bias: SelfTestCase.bits(test.bias),
                .selection: test.selectionWords,
                .output: isAdding ? SelfTestCase.bits(test.biases) : SelfTestCase.unwritten(test.expected.count),
            ],
            parameters: .init(linear: test.parameters, selection: test.selection), rowCount: test.rowCount,
            groupCount: test.groupCount, output: .output, expected: test.expected,
            tolerance: linear.batch == .gemmHalf ? LinearKernel.halfTolerance : SelfTestCase.tolerance)
    }
}

/// The same on quantized weights and floats: the kernels of `QuantizedLinearKernel`.
struct SelectedQuantizedLinearKernel: Kernel {
    enum Binding: KernelBinding { case input, codes, scales, bias, selection, output }

    struct Parameters: KernelParameters {
        var linear: LinearKernel.Parameters
        var group: QuantizationGroups
        var selection: MatrixSelection
    }

    static let operations = QuantizedLinearKernel.operations.map(\.selecting)

    let linear: QuantizedLinearKernel
    let rows: MatrixSelection.Rows

    var operation: KernelOperation { Self.operations[linear.isGEMM ? 1 : 0] }
    var definitions: ShaderDefinitions { linear.definitions + rows.definitions }
    var unpacksHalfScales: Bool { linear.unpacksHalfScales }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let matrix = QuantizedTestMatrix(linear.format, isWhole: linear.isWhole)
        let test = SelectedTest(
            inputSize: matrix.stored.inputSize, matrix.stored.dequantized().floats(), bound: 1.0 / 320,
            rowsPerTile: rows.testTile(variant, linear.tiling))
        return test.selfTest(Self.self, SelfTestCase.bits(test.input), of: matrix)
    }
}

/// The same on quantized weights and quantized activations: the kernels of `IntegerLinearKernel`.
struct SelectedIntegerLinearKernel: Kernel {
    typealias Binding = SelectedQuantizedLinearKernel.Binding
    typealias Parameters = SelectedQuantizedLinearKernel.Parameters

    static let operations = IntegerLinearKernel.operations.map(\.selecting)

    let linear: IntegerLinearKernel
    let rows: MatrixSelection.Rows

    var operation: KernelOperation { Self.operations[linear.isGEMM ? 1 : 0] }
    var definitions: ShaderDefinitions { linear.definitions + rows.definitions }
    var unpacksHalfScales: Bool { linear.unpacksHalfScales }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let matrix = QuantizedTestMatrix(linear.format, isWhole: false)
        let width = matrix.stored.inputSize
        let rowsPerTile = rows.testTile(variant, linear.tiling)
        let input = QuantizedTestRows(
            linear.quantized, SelectedTest.numbers(inputSize: width, rowsPerTile: rowsPerTile), width: width)
        let test = SelectedTest(
            inputSize: width, matrix.stored.dequantized().floats(), bound: 1.0 / 320, rowsPerTile: rowsPerTile,
            quantized: input)
        return test.selfTest(Self.self, input.words, of: matrix)
    }
}

/// Rows with two choices each, of a set of two matrices of thirty outputs. The matrices are those of the tests of linear
/// kernels, forty rows of which the second matrix has eight and then zeros.
private struct SelectedTest {
    private static let outputSize = 30
    private static let grouping = RowGrouping(matrixCount: 2, choiceCount: 2)

    /// Floats in rows of a multiple of four.
    let input: [Float]
    /// Of each matrix, and of the matrix of each pair.
    let bias: [Float]
    let biases: [Float]
    let expected: [Double]
    let selectionWords: [UInt32]
    let parameters: LinearKernel.Parameters
    let selection: MatrixSelection
    /// Workgroups.
    let rowCount: Int
    let groupCount: Int

    /// Two rows, or so many that each matrix has a tile and one pair more.
    private static func rowCount(_ rowsPerTile: Int?) -> Int { rowsPerTile.map { $0 + 1 } ?? 2 }

    /// The inputs of all pairs.
    static func numbers(inputSize: Int, rowsPerTile: Int?) -> [Float] {
        SelfTestCase.numbers(rowCount(rowsPerTile) * 2 * inputSize, seed: 74)
    }

    /// `quantized`: the inputs, where the kernel reads quantized activations.
    init(
        inputSize: Int, _ weights: [Float], bound: Float, rowsPerTile: Int?, quantized: QuantizedTestRows? = nil
    ) {
        let floats = Self.numbers(inputSize: inputSize, rowsPerTile: rowsPerTile)
        let stride = quantized?.stride ?? inputSize.roundedUp(to: 4)
        input = SelfTestCase.padded(floats, width: inputSize, stride: inputSize.roundedUp(to: 4))
        let numbers = quantized?.numbers ?? floats.map { Double($0) }
        let bias = SelfTestCase.numbers(2 * Self.outputSize, seed: 75).map { $0 * bound }
        self.bias = bias
        // Every other row chooses the matrices in the other order.
        let testRowCount = Self.rowCount(rowsPerTile)
        let matrices = (0..<testRowCount).flatMap { $0 % 2 == 0 ? [1, 0] : [0, 1] }
        var expected: [Double] = []
        for (pair, matrix) in matrices.enumerated() {
            for output in 0..<Self.outputSize {
                let row = matrix * DeviceMatrix.tile + output
                var sum = Double(bias[matrix * Self.outputSize + output])
                for input in 0..<inputSize where row * inputSize < weights.count {
                    sum += numbers[pair * inputSize + input] * Double(weights[row * inputSize + input])
                }
                expected.append(sum)
            }
        }
        self.expected = expected
        biases = matrices.flatMap { bias[$0 * Self.outputSize..<($0 + 1) * Self.outputSize] }
        let pairsStart = Self.grouping.pairsStart(maxRowCount: testRowCount)
        if let rowsPerTile {
            selectionWords =
                Self.grouping.list(matrices, rowsPerTile: rowsPerTile, pairsStart: pairsStart) + [1, 1]
            rowCount = Int(selectionWords[0]) + 1
            groupCount = 1
        } else {
            selectionWords = Swift.stride(from: 0, to: matrices.count, by: 2).flatMap { pair in
                SelfTestCase.bits([Float(matrices[pair]), Float(matrices[pair + 1]), 0.5, 0.5])
            }
            rowCount = testRowCount
            groupCount = 2
        }
        parameters = LinearKernel.Parameters(
            inputSize: UInt32(inputSize), outputSize: UInt32(Self.outputSize),
            input: RowLayout(stride: UInt32(2 * stride / 4)), output: RowLayout(stride: UInt32(2 * Self.outputSize)),
            hasBias: 1, biasOffset: 0)
        selection = MatrixSelection(
            routes: RowLayout(stride: 4), choiceCount: 2, pairsStart: UInt32(pairsStart),
            presenceStart: UInt32(selectionWords.count - 2), matrixTiles: 1, firstTile: 0,
            tileCount: 2, choiceStride: UInt32(stride / 4))
    }

    /// The test of a kernel on quantized weights, which reads `input`.
    func selfTest<K: Kernel>(_ kernel: K.Type, _ input: [UInt32], of matrix: QuantizedTestMatrix) -> SelfTestCase
    where
        K.Binding == SelectedQuantizedLinearKernel.Binding, K.Parameters == SelectedQuantizedLinearKernel.Parameters
    {
        SelfTestCase(
            kernel,
            bindings: [
                .input: input, .codes: matrix.codes, .scales: matrix.scales, .bias: SelfTestCase.bits(bias),
                .selection: selectionWords, .output: SelfTestCase.unwritten(expected.count),
            ],
            parameters: .init(linear: parameters, group: matrix.groups, selection: selection), rowCount: rowCount,
            groupCount: groupCount, output: .output, expected: expected)
    }
}
