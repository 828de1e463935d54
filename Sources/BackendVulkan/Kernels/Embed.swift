import Backends
import SharedValues
import Tensors

/// `output[t] = table[min(ids[t] + idOffset, lastId)] * scale`, for the rows of one part of an unquantized table (`embed.comp`).
struct EmbedKernel: Kernel {
    enum Binding: KernelBinding { case ids, table, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        var idOffset: UInt32
        var lastId: UInt32
        var output: RowLayout
        /// Sixteen-byte chunks of a row.
        var chunkCount: UInt32
        /// The rows that the part has; tokens of other rows are left to other dispatches.
        var firstRow: UInt32
        var partRowCount: UInt32
        var scale: Float
    }

    static let operations = [
        KernelOperation(
            "embed",
            parts: [PackageResources.numbers_glsl, PackageResources.dense_weights_glsl, PackageResources.embed_comp])
    ]

    let type: ElementType

    var definitions: ShaderDefinitions { ElementwiseGroup.definitions + LinearKernel.weightDefinitions(type) }

    /// Row 37 for an id behind the last one, and row 3.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let matrix = DenseTestMatrix(type)
        let rows = matrix.numbers
        return SelfTestCase(
            Self.self, bindings: [.ids: [37, 2], .table: matrix.words, .output: SelfTestCase.unwritten(2 * 20)],
            parameters: Parameters(
                width: 20, idOffset: 1, lastId: 37, output: RowLayout(stride: 20),
                chunkCount: UInt32(matrix.chunkCount), firstRow: 0,
                partRowCount: 40, scale: 2),
            rowCount: 2, output: .output, expected: (rows[740..<760] + rows[60..<80]).map { Double($0) * 2 })
    }
}

/// `output[t] = table[min(ids[t] + idOffset, lastId)] * scale`, for the rows of one part of a quantized table (`embed_quantized.comp`).
struct QuantizedEmbedKernel: Kernel {
    enum Binding: KernelBinding { case ids, codes, scales, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        var idOffset: UInt32
        var lastId: UInt32
        var output: RowLayout
        var firstRow: UInt32
        var partRowCount: UInt32
        var scale: Float
        var group: QuantizationGroups
    }

    static let operations = [
        KernelOperation(
            "embed_quantized", parts: [PackageResources.quantized_weights_glsl, PackageResources.embed_quantized_comp])
    ]

    let format: QuantizedFormat

    var definitions: ShaderDefinitions { ElementwiseGroup.definitions + format.definitions }
    var unpacksHalfScales: Bool { format.scaleType == .f16 }

    /// Row 37 for an id behind the last one, and row 3.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let matrix = QuantizedTestMatrix(format, isWhole: false)
        let width = matrix.stored.inputSize
        let rows = matrix.stored.dequantized().floats()
        return SelfTestCase(
            Self.self,
            bindings: [
                .ids: [37, 2], .codes: matrix.codes, .scales: matrix.scales,
                .output: SelfTestCase.unwritten(2 * width),
            ],
            parameters: Parameters(
                width: UInt32(width), idOffset: 1, lastId: 37, output: RowLayout(stride: UInt32(width)), firstRow: 0,
                partRowCount: 40, scale: 2, group: matrix.groups),
            rowCount: 2, groupCount: ElementwiseGroup.count(width: width), output: .output,
            expected: (rows[37 * width..<38 * width] + rows[3 * width..<4 * width]).map { Double($0) * 2 })
    }
}

extension ProgramBuilder {
    /// One dispatch for each part of the table.
    mutating func embed(
        _ table: MatrixID, _ index: EmbeddingIndex, _ scale: Float, _ output: ValueID
    ) throws(BackendError) {
        let matrix = weights.matrix([table])
        guard plan[table].weights.inputOrder == nil else {
            throw .unsupported(operation: "embed", reason: "\(plan[table].name) has reordered columns")
        }
        let target = memory.range(output)
        let width = matrix.inputSize
        let lastId = UInt32(plan[table].weights.outputSize - 1)
        let (ids, idOffset): (MemoryRange, UInt32) =
            switch index {
            case .tokens: (batch.range(.tokenIDs), 0)
            case .positions(let offset): (batch.range(.positions), UInt32(offset))
            }
        func dispatch<K: Kernel>(
            _ kernel: K, _ bindings: [K.Binding: MemoryRange], _ parameters: K.Parameters
        ) throws(BackendError) -> Dispatch {
            Dispatch(
                K.self, try kernels(for: kernel), bindings: bindings, parameters: parameters, rows: .tokens,
                groupCount: ElementwiseGroup.count(width: width), label: "embed \(width) \(matrix.format)",
                bytesPerRow: width * 4 + matrix.format.rowByteCount(inputSize: width), workPerRow: width)
        }
        var dispatches: [Dispatch] = []
        for part in matrix.parts {
            switch matrix.format {
            case .dense(let type):
                dispatches.append(
                    try dispatch(
                        EmbedKernel(type: type),
                        [.ids: ids, .table: part.ranges[0], .output: target],
                        .init(
                            width: UInt32(width), idOffset: idOffset, lastId: lastId, output: rowLayout(of: output),
                            chunkCount: UInt32(width.dividedUp(by: DeviceMatrix.chunk(type))),
                            firstRow: UInt32(part.firstRow), partRowCount: UInt32(part.rowCount), scale: scale)))
            case .quantized(let format):
                dispatches.append(
                    try dispatch(
                        QuantizedEmbedKernel(format: format),
                        [
                            .ids: ids, .codes: part.ranges[0], .scales: part.ranges[1],
                            .output: target,
                        ],
                        .init(
                            width: UInt32(width), idOffset: idOffset, lastId: lastId, output: rowLayout(of: output),
                            firstRow: UInt32(part.firstRow), partRowCount: UInt32(part.rowCount), scale: scale,
                            group: format.groups(inputSize: width))))
            }
        }
        append(dispatches, reading: [], writing: [target])
    }
}
