import Backends
import Lowering
import SharedValues
import Tensors

/// `output = input · weightsᵀ + bias` on unquantized weights: as a GEMV for up to `rows` rows, as a GEMM for more.
struct LinearKernel: Kernel {
    enum Binding: KernelBinding { case input, weights, bias, output }

    /// The first parameters of every linear kernel (`linear.glsl`).
    struct Parameters: KernelParameters {
        var inputSize: UInt32
        var outputSize: UInt32
        /// In `vec4`, or in `uvec4` of quantized activations.
        var input: RowLayout
        var output: RowLayout
        var hasBias: UInt32
        var biasOffset: UInt32
    }

    /// What computes many rows, where GEMV is for few.
    enum Batch: Int {
        case gemv, gemm
        /// A GEMM in 16-bit arithmetic where that is allowed.
        case gemmHalf
    }

    private static let gemvVariant = KernelVariant(
        name: "gemv",
        parts: shared + [PackageResources.gemv_glsl, PackageResources.gemv_comp])

    /// For lanes of a CPU, where every load of an invocation is a load of its own.
    private static let broadcastVariant = KernelVariant(
        name: "gemv_broadcast", parts: shared + [PackageResources.gemv_broadcast_comp],
        needs: [.processor, .subgroupBroadcast], extensions: KernelVariant.subgroupBroadcast)

    private static let gemmVariant = KernelVariant(
        name: "gemm",
        parts: shared + [
            PackageResources.gemm_glsl, PackageResources.gemm_single_glsl, PackageResources.gemm_comp,
        ],
        needs: [.invocations(256)], rowsPerGroup: 64, tilesPerGroup: 2)

    private static let gemmHalfVariant = KernelVariant(
        name: "gemm_half",
        parts: shared + [
            PackageResources.gemm_glsl, PackageResources.gemm_half_glsl, PackageResources.gemm_comp,
        ],
        needs: [.batchDependence, .float16, .invocations(256)],
        extensions: ["GL_EXT_shader_explicit_arithmetic_types_float16"], rowsPerGroup: 64, tilesPerGroup: 2)

    private static let shared = [
        PackageResources.numbers_glsl, PackageResources.dense_weights_glsl, PackageResources.linear_glsl,
    ]

    private static let gemv = KernelOperation("gemv", [broadcastVariant, gemvVariant])
    private static let gemm = KernelOperation("gemm", [broadcastVariant, gemmVariant, gemvVariant])
    private static let gemmHalf = KernelOperation(
        "gemm_half", [broadcastVariant, gemmHalfVariant, gemmVariant, gemvVariant])
    static let operations = [gemv, gemm, gemmHalf]

    let batch: Batch
    let type: ElementType
    let tiling: LinearTiling

    init(isGEMM: Bool, type: ElementType, tiling: LinearTiling) {
        batch = !isGEMM ? .gemv : type.byteCount == 2 ? .gemmHalf : .gemm
        self.type = type
        self.tiling = tiling
    }

    var operation: KernelOperation { Self.operations[batch.rawValue] }

    var definitions: ShaderDefinitions { Self.weightDefinitions(type) + tiling.definitions }

    /// How unquantized weights of `type` are read (`dense_weights.glsl`).
    static func weightDefinitions(_ type: ElementType) -> ShaderDefinitions {
        ["WEIGHT_BITS": type.byteCount * 8, "WEIGHT_IS_BFLOAT": type == .bf16 ? 1 : 0]
    }

    /// What a 16-bit GEMM costs: numbers rounded to eleven bits, and sums of sixteen of their products as well.
    static let halfTolerance = 16 * 0x1p-22

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let matrix = DenseTestMatrix(type)
        let (inputSize, outputSize) = (DenseTestMatrix.inputSize, DenseTestMatrix.outputSize)
        let rowsPerGroup = variant.rowsPerGroup ?? tiling.rows
        // One row more than a workgroup takes: another workgroup, not full.
        let rowCount = rowsPerGroup + 1
        let input = SelfTestCase.numbers(rowCount * inputSize, seed: 21)
        let bias = SelfTestCase.numbers(outputSize, seed: 22)
        return SelfTestCase(
            Self.self,
            bindings: [
                .input: SelfTestCase.bits(SelfTestCase.padded(input, width: inputSize, stride: 24)),
                .weights: matrix.words, .bias: SelfTestCase.bits(bias),
                .output: SelfTestCase.unwritten(rowCount * outputSize),
            ],
            parameters: .test(inputSize: inputSize, outputSize: outputSize, inputStride: 24),
            rowCount: rowCount, rowsPerGroup: rowsPerGroup, groupCount: 2, output: .output,
            expected: Self.products(input.map { Double($0) }, matrix.numbers, inputSize: inputSize, bias: bias),
            tolerance: batch == .gemmHalf ? Self.halfTolerance : SelfTestCase.tolerance)
    }

    /// `input · weightsᵀ + bias`, row after row.
    static func products(_ input: [Double], _ weights: [Float], inputSize: Int, bias: [Float]) -> [Double] {
        (0..<input.count / inputSize).flatMap { row in
            bias.indices.map { output in
                (0..<inputSize).reduce(Double(bias[output])) {
                    $0 + input[row * inputSize + $1] * Double(weights[output * inputSize + $1])
                }
            }
        }
    }
}

extension LinearKernel.Parameters {
    /// A self-test's, with biases.
    static func test(inputSize: Int, outputSize: Int, inputStride: Int) -> Self {
        Self(
            inputSize: UInt32(inputSize), outputSize: UInt32(outputSize),
            input: RowLayout(stride: UInt32(inputStride / 4)), output: RowLayout(stride: UInt32(outputSize)),
            hasBias: 1, biasOffset: 0)
    }
}

/// How a GEMV splits a tile of outputs, and a GEMM with it: every kernel of a matrix adds in one order (`gemv.glsl`).
struct LinearTiling: Hashable {
    /// Rows that a workgroup of a GEMV computes.
    let rows: Int
    /// Invocations that share the sum of one output, each with a part of the input.
    let splitK: Int
    /// Outputs of an invocation.
    let outputs: Int
    /// Rows whose partial sums fit shared memory at once.
    let partialRows: Int
    let subgroupSize: Int

    var definitions: ShaderDefinitions {
        ["ROWS": rows, "SPLIT_K": splitK, "OUTPUTS": outputs, "PARTIAL_ROWS": partialRows, "SUBGROUP": subgroupSize]
    }
}

extension KernelShapes {
    /// The tiling of a GEMV over `rows` rows with a matrix `[outputSize, inputSize]`; `limbCount` where the input is
    /// quantized activations.
    ///
    /// A GPU needs more invocations than a matrix has rows, as all of them wait for memory at once, so the input is
    /// split (split-K). Where that makes large workgroups, an invocation computes several outputs, for which it loads the
    /// input once. The lanes of a CPU gain nothing by either. Measured on a card of 132 processors: the more outputs, the
    /// smaller the split and the workgroup, unless three limbs of the input fill the registers. A GPU that shares the
    /// host's memory has less latency to hide, and registers for two outputs.
    func linearTiling(rows: Int, inputSize: Int, outputSize: Int, limbCount: Int?) -> LinearTiling {
        var (splitK, outputs) = (1, 1)
        if !capabilities.isProcessor {
            let hasRegisters = limbCount != 3
            let isSmall = capabilities.isUnifiedMemory
            let preferred = isSmall || outputSize > 16384 && hasRegisters ? 256 : 512
            let invocations = capabilities.maxInvocationCount >= preferred ? preferred : 128
            let maximum = isSmall ? 512 : outputSize > (hasRegisters ? 8192 : 6144) ? 1024 : 2048
            while splitK * 2 * DeviceMatrix.tile <= min(maximum, invocations * 4),
                splitK * 4 <= inputSize.dividedUp(by: QuantizedFormat.slice)
            { splitK *= 2 }
            outputs = max(1, splitK * DeviceMatrix.tile / invocations)
        }
        var partialRows = rows
        let byteCount = min(capabilities.sharedMemoryByteCount, 32 << 10)
        while partialRows > 1, partialRows * splitK * DeviceMatrix.tile * 4 > byteCount { partialRows /= 2 }
        return LinearTiling(
            rows: rows, splitK: splitK, outputs: outputs, partialRows: partialRows,
            subgroupSize: capabilities.subgroupSize)
    }

    /// Rows for which there is a GEMV of its own, rising. On a CPU each is a program of some ten thousand instructions, so
    /// there are fewer.
    var gemvRows: [Int] { capabilities.isProcessor ? [1, 4, 8] : [1, 2, 4, 8] }

    /// The same for quantized weights. Unpacking them twice as often costs a CPU less than a longer program does.
    var quantizedGEMVRows: [Int] { capabilities.isProcessor ? [1, 2] : [1, 2, 4, 8] }
}

/// The kernels of linear operations, by how weights and activations are stored.
struct LinearKernels {
    let library: KernelLibrary
    let shapes: KernelShapes

    /// A GEMV for each number of rows that has one, and a GEMM for more rows. `quantized`: what quantized weights are
    /// multiplied with; nil for floats.
    func kernels(
        for format: DeviceMatrix.Format, inputSize: Int, outputSize: Int, _ quantized: QuantizedActivations?
    ) throws(BackendError) -> [DispatchKernel] {
        func tiling(_ rows: Int) -> LinearTiling {
            shapes.linearTiling(
                rows: rows, inputSize: inputSize, outputSize: outputSize, limbCount: quantized?.count)
        }
        switch (format, quantized) {
        case (.dense(let type), _):
            return try kernels(shapes.gemvRows) { rows, isGEMM in
                LinearKernel(isGEMM: isGEMM, type: type, tiling: tiling(rows))
            }
        case (.quantized(let format), nil):
            return try kernels(shapes.quantizedGEMVRows) { rows, isGEMM in
                QuantizedLinearKernel(isGEMM: isGEMM, format: format, inputSize: inputSize, tiling: tiling(rows))
            }
        case (.quantized(let format), let quantized?):
            return try kernels(shapes.quantizedGEMVRows) { rows, isGEMM in
                IntegerLinearKernel(isGEMM: isGEMM, format: format, quantized: quantized, tiling: tiling(rows))
            }
        }
    }

    /// `kernel` makes the GEMV for a number of rows, or the GEMM.
    private func kernels<K: Kernel>(
        _ rowCounts: [Int], _ kernel: (_ rows: Int, _ isGEMM: Bool) -> K
    ) throws(BackendError) -> [DispatchKernel] {
        var result: [DispatchKernel] = []
        func append(_ rows: Int, isGEMM: Bool) throws(BackendError) {
            let pipeline = try library.pipeline(kernel(rows, isGEMM))
            result.append(
                DispatchKernel(
                    maxRowCount: isGEMM ? .max : rows, rowsPerGroup: pipeline.variant.rowsPerGroup ?? rows,
                    pipeline: pipeline))
        }
        for rows in rowCounts { try append(rows, isGEMM: false) }
        // Where no GEMM is left, a GEMV takes its place, as large as there is.
        try append(rowCounts.last ?? 1, isGEMM: true)
        return result
    }
}

extension ProgramBuilder {
    /// One dispatch for each part of the matrix.
    mutating func linear(_ input: ValueID, _ parts: [LinearPart]) throws(BackendError) {
        let matrix = weights.matrix(parts.map(\.weights))
        let output = parts[0].output
        let source = rowLayout(of: input)
        let target = rowLayout(of: output)
        guard source.stride % 4 == 0, source.offset % 4 == 0 else {
            throw .unsupported(operation: "linear", reason: "it reads the logits, whose rows are not padded")
        }
        let quantized = quantized(of: matrix)
        precondition(
            quantized?.width(inputSize: matrix.inputSize) ?? matrix.inputSize == plan[input].width,
            "\(plan[parts[0].weights].name) does not fit its input")
        let kernels = try LinearKernels(library: library, shapes: shapes).kernels(
            for: matrix.format, inputSize: matrix.inputSize, outputSize: matrix.rowCount, quantized)
        let biasOffset = weights.biasOffset(of: parts)
        var dispatches: [Dispatch] = []
        for part in matrix.parts {
            let parameters = LinearKernel.Parameters(
                inputSize: UInt32(matrix.inputSize), outputSize: UInt32(part.rowCount),
                input: RowLayout(stride: source.stride / 4, offset: source.offset / 4),
                output: RowLayout(stride: target.stride, offset: target.offset + UInt32(part.firstRow)),
                hasBias: biasOffset == nil ? 0 : 1, biasOffset: UInt32((biasOffset ?? 0) + part.firstRow))
            func dispatch<K: Kernel>(
                _ kernel: K.Type, _ bindings: [K.Binding: MemoryRange], _ parameters: K.Parameters
            ) -> Dispatch {
                Dispatch(
                    kernel, kernels, bindings: bindings, parameters: parameters, rows: DispatchRows(plan[output].rows),
                    groupCount: part.rowCount.dividedUp(by: DeviceMatrix.tile),
                    label: "linear \(matrix.inputSize) to \(part.rowCount) \(matrix.format)",
                    byteCount: part.ranges.reduce(0) { $0 + $1.byteCount },
                    bytesPerRow: (plan[input].width + part.rowCount) * 4,
                    workPerRow: 2 * matrix.inputSize * part.rowCount)
            }
            switch matrix.format {
            case .dense:
                dispatches.append(
                    dispatch(
                        LinearKernel.self,
                        [
                            .input: memory.range(input), .weights: part.ranges[0], .bias: weights.vectors,
                            .output: memory.range(output),
                        ], parameters))
            case .quantized(let format):
                // The same bindings and parameters as those of integer products.
                dispatches.append(
                    dispatch(
                        QuantizedLinearKernel.self,
                        [
                            .input: memory.range(input), .codes: part.ranges[0], .scales: part.ranges[1],
                            .bias: weights.vectors, .output: memory.range(output),
                        ], .init(linear: parameters, group: format.groups(inputSize: matrix.inputSize))))
            }
        }
        append(dispatches, reading: [memory.range(input)], writing: [memory.range(output)])
    }

    /// What `matrix` is multiplied with; nil for floats.
    func quantized(of matrix: DeviceMatrix) -> QuantizedActivations? {
        guard case .quantized(let format) = matrix.format, let count = memory.limbCount else { return nil }
        return QuantizedActivations(count: count, for: format)
    }
}
