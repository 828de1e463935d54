import Backends
import Tensors

/// `output = input · weightsᵀ + bias` on quantized weights and quantized activations, by dot products of four signed
/// bytes (`OpSDot`).
struct IntegerLinearKernel: Kernel {
    typealias Binding = QuantizedLinearKernel.Binding
    typealias Parameters = QuantizedLinearKernel.Parameters

    private static let gemvVariant = variant(
        "packed_dot_columns",
        [PackageResources.columns_glsl, PackageResources.packed_slices_glsl, PackageResources.packed_dot_columns_comp])

    private static let gemmVariant = variant(
        "packed_dot_tiled", [PackageResources.tiles_glsl, PackageResources.packed_dot_tiled_comp],
        needs: [.invocations(256)], rowsPerGroup: 64, tilesPerGroup: 2)

    private static func variant(
        _ name: String, _ parts: [[UInt8]], needs: [KernelVariant.Need] = [], rowsPerGroup: Int? = nil,
        tilesPerGroup: Int = 1
    ) -> KernelVariant {
        // glslang got `GL_EXT_integer_dot_product` late; the instruction itself can be named since 2020.
        KernelVariant(
            name: name,
            parts: [
                PackageResources.digits_glsl, PackageResources.packed_glsl, PackageResources.linear_glsl,
                PackageResources.packed_dot_glsl,
            ] + parts,
            needs: [.integerProducts] + needs, extensions: ["GL_EXT_spirv_intrinsics"], rowsPerGroup: rowsPerGroup,
            tilesPerGroup: tilesPerGroup)
    }

    private static let gemv = KernelOperation("packed_dot_few_rows", [gemvVariant])
    private static let gemm = KernelOperation("packed_dot_many_rows", [gemmVariant, gemvVariant])
    static let operations = [gemv, gemm]

    let isGEMM: Bool
    let format: QuantizedFormat
    let quantized: QuantizedActivations
    let tiling: LinearTiling

    var operation: KernelOperation { isGEMM ? Self.gemm : Self.gemv }
    var definitions: ShaderDefinitions { format.definitions + quantized.definitions + tiling.definitions }
    var unpacksHalfScales: Bool { format.scaleType == .f16 }

    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let matrix = QuantizedTestMatrix(format, isWhole: false)
        let width = matrix.stored.inputSize
        let rowsPerGroup = variant.rowsPerGroup ?? tiling.rows
        let input = QuantizedTestRows(
            quantized, SelfTestCase.numbers((rowsPerGroup + 1) * width, seed: 41), width: width)
        return matrix.selfTest(
            Self.self, input.words, stride: input.stride, numbers: input.numbers, rowsPerGroup: rowsPerGroup)
    }
}
