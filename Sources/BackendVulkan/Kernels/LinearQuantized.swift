import Backends
import SharedValues
import Tensors

/// `output = input · weightsᵀ + bias` on quantized weights and floats: kernels unpack weights and go on as with
/// unquantized ones.
struct QuantizedLinearKernel: Kernel {
    enum Binding: KernelBinding { case input, codes, scales, bias, output }

    struct Parameters: KernelParameters {
        var linear: LinearKernel.Parameters
        var group: QuantizationGroups
    }

    private static let gemvVariant = KernelVariant(
        name: "gemv_quantized",
        parts: shared + [
            PackageResources.gemv_glsl, PackageResources.gemv_slices_glsl, PackageResources.gemv_quantized_comp,
        ])

    /// For lanes of a CPU, where every load of an invocation is a load of its own.
    private static let broadcastVariant = KernelVariant(
        name: "gemv_quantized_broadcast", parts: shared + [PackageResources.gemv_quantized_broadcast_comp],
        needs: [.processor, .subgroupBroadcast], extensions: KernelVariant.subgroupBroadcast)

    private static let gemmVariant = KernelVariant(
        name: "gemm_quantized",
        parts: shared + [PackageResources.gemm_glsl, PackageResources.gemm_quantized_comp],
        needs: [.invocations(256)], rowsPerGroup: 64, tilesPerGroup: 2)

    private static let shared = [PackageResources.quantized_weights_glsl, PackageResources.linear_glsl]

    private static let gemv = KernelOperation("gemv_quantized", [broadcastVariant, gemvVariant])
    private static let gemm = KernelOperation("gemm_quantized", [broadcastVariant, gemmVariant, gemvVariant])
    static let operations = [gemv, gemm]

    let isGEMM: Bool
    let format: QuantizedFormat
    /// Whether the input is whole slices: floats have no padding of their own behind a row.
    let isWhole: Bool
    let tiling: LinearTiling

    init(isGEMM: Bool, format: QuantizedFormat, inputSize: Int, tiling: LinearTiling) {
        self.isGEMM = isGEMM
        self.format = format
        isWhole = inputSize % QuantizedFormat.slice == 0
        self.tiling = tiling
    }

    var operation: KernelOperation { isGEMM ? Self.gemm : Self.gemv }
    var definitions: ShaderDefinitions {
        format.definitions + tiling.definitions + ["ENDS_IN_SLICE": isWhole ? 0 : 1]
    }
    var unpacksHalfScales: Bool { format.scaleType == .f16 }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let matrix = QuantizedTestMatrix(format, isWhole: isWhole)
        let width = matrix.stored.inputSize
        let rowsPerGroup = variant.rowsPerGroup ?? tiling.rows
        let stride = width.roundedUp(to: 8)
        let input = SelfTestCase.numbers((rowsPerGroup + 1) * width, seed: 41)
        return matrix.selfTest(
            Self.self, SelfTestCase.bits(SelfTestCase.padded(input, width: width, stride: stride)),
            stride: stride, numbers: input.map { Double($0) }, rowsPerGroup: rowsPerGroup)
    }
}

extension QuantizedTestMatrix {
    /// A linear operation on `input`, whose rows stand for `numbers`: one row more than a workgroup takes, for another
    /// workgroup that is not full.
    func selfTest<K: Kernel>(
        _ kernel: K.Type, _ input: [UInt32], stride: Int, numbers: [Double], rowsPerGroup: Int
    ) -> SelfTestCase
    where K.Binding == QuantizedLinearKernel.Binding, K.Parameters == QuantizedLinearKernel.Parameters {
        // As small as the products.
        let bias = SelfTestCase.numbers(stored.outputSize, seed: 42).map { $0 / 320 }
        let rowCount = rowsPerGroup + 1
        return SelfTestCase(
            kernel,
            bindings: [
                .input: input, .codes: codes, .scales: scales, .bias: SelfTestCase.bits(bias),
                .output: SelfTestCase.unwritten(rowCount * stored.outputSize),
            ],
            parameters: .init(
                linear: .test(inputSize: stored.inputSize, outputSize: stored.outputSize, inputStride: stride),
                group: groups),
            rowCount: rowCount, rowsPerGroup: rowsPerGroup, groupCount: 2, output: .output,
            expected: LinearKernel.products(
                numbers, stored.dequantized().floats(), inputSize: stored.inputSize, bias: bias))
    }
}

/// How a kernel finds the group of a slice.
struct QuantizationGroups: ParameterGroup {
    /// Slices that share a scale; 1 where a slice has two.
    var slices: UInt32
    /// Groups of a row.
    var count: UInt32
}

extension QuantizedFormat {
    /// How kernels read the codes and scales (`quantized_weights.glsl`).
    var definitions: ShaderDefinitions {
        var definitions: ShaderDefinitions = [
            "BITS": bitCount, "SCALING": scaling.rawValue, "SCALE_BITS": scaleType.byteCount * 8,
            "SCALE_IS_BFLOAT": scaleType == .bf16 ? 1 : 0, "SCALES": groupSize == 16 ? 2 : 1,
            "FACTOR_EXPONENT": Int(codes.factor.exponent),
        ]
        if let grid {
            definitions["SCALING"] = Self.gridScaling
            definitions["SCALES"] = grid.groupsPerSlice
            definitions["GRID"] = grid.rawValue
            definitions["GRID_WORDS"] = scalesPrefix.count
            definitions["INDEX_INPUTS"] = grid.inputsPerIndex
            definitions["UPPER_BITS"] = grid.upperBitCount
            definitions["EXTRA_BITS"] = extraBitCount
            return definitions
        }
        switch codes.values {
        case .integers(let middle): definitions["MIDDLE"] = middle
        case .float8: definitions["FLOAT8"] = 1
        case .book(let entries):
            for word in 0..<4 {
                let bytes = (0..<4).reduce(UInt32(0)) {
                    $0 | UInt32(UInt8(bitPattern: entries[word * 4 + $1])) << UInt32(8 * $1)
                }
                definitions["BOOK_\(word)"] = Int(Int32(bitPattern: bytes))
            }
        }
        return definitions
    }

    /// The scaling of rows of a grid, which follows those of `CodeFormat.Scaling`.
    private static let gridScaling = CodeFormat.Scaling.nestedNibbles.rawValue + 1

    /// The groups of rows of `inputSize` numbers.
    func groups(inputSize: Int) -> QuantizationGroups {
        QuantizationGroups(
            slices: UInt32(groupSize.map { max(1, $0 / Self.slice) } ?? sliceCount(inputSize: inputSize)),
            count: UInt32(groupCount(inputSize: inputSize)))
    }
}
