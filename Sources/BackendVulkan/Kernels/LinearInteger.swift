import Backends
import Tensors

/// `output = input · weightsᵀ + bias` on quantized weights and quantized activations, by dot products of four signed
/// bytes (`OpSDot`).
struct IntegerLinearKernel: Kernel {
    typealias Binding = QuantizedLinearKernel.Binding
    typealias Parameters = QuantizedLinearKernel.Parameters

    private static let gemvVariant = variant(
        "gemv_integer",
        [PackageResources.gemv_glsl, PackageResources.gemv_slices_glsl, PackageResources.gemv_integer_comp])

    private static let gemmVariant = variant(
        "gemm_integer", [PackageResources.gemm_glsl, PackageResources.gemm_integer_comp],
        needs: [.invocations(256)], rowsPerGroup: 64, tilesPerGroup: 2)

    private static func variant(
        _ name: String, _ parts: [[UInt8]], needs: [KernelVariant.Need] = [], rowsPerGroup: Int? = nil,
        tilesPerGroup: Int = 1
    ) -> KernelVariant {
        // glslang got `GL_EXT_integer_dot_product` late; the instruction itself can be named since 2020.
        KernelVariant(
            name: name,
            parts: [
                PackageResources.quantized_activations_glsl, PackageResources.quantized_weights_glsl,
                PackageResources.linear_glsl,
                PackageResources.integer_products_glsl,
            ] + parts,
            needs: [.integerProducts] + needs, extensions: ["GL_EXT_spirv_intrinsics"], rowsPerGroup: rowsPerGroup,
            tilesPerGroup: tilesPerGroup)
    }

    private static let gemv = KernelOperation("gemv_integer", [gemvVariant])
    private static let gemm = KernelOperation("gemm_integer", [gemmVariant, gemvVariant])
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
