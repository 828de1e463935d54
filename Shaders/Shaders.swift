/// The GLSL files of the Vulkan backend, embedded in the binary. A kernel is some of them, one after another.
public enum ShaderFile: String, Sendable, Hashable, CaseIterable {
    // Parts.
    case numbers, weights, reduceShared, reduceSubgroup, cache, softCapping, softmaxState
    case attentionRows, candidates, maximaShared, maximaSubgroup, tileHalf, tileSingle, packed, digits,
        digitsRecords, packedDot, packedSlices, gated, linear, columns, tiles
    // Kernels.
    case add, addNorm, attention, attentionReduce, embed, gatedKernel, gatedDigits, gather, head, multiply, norm, read,
        softCap
    case candidatesMerge, candidatesSegment
    case linearBroadcast, linearColumns, linearTiled
    case packedBroadcast, packedColumns, packedEmbed, packedTiled, reorder
    case digitsKernel, packedDotColumns, packedDotTiled
    // Targets of `head`.
    case headToValue, headToCache

    /// The file's text.
    public var text: String {
        let bytes =
            switch self {
            case .numbers: PackageResources.numbers_glsl
            case .weights: PackageResources.weights_glsl
            case .reduceShared: PackageResources.reduce_shared_glsl
            case .reduceSubgroup: PackageResources.reduce_subgroup_glsl
            case .cache: PackageResources.cache_glsl
            case .softCapping: PackageResources.soft_capping_glsl
            case .attentionRows: PackageResources.attention_rows_glsl
            case .softmaxState: PackageResources.softmax_state_glsl
            case .maximaShared: PackageResources.maxima_shared_glsl
            case .maximaSubgroup: PackageResources.maxima_subgroup_glsl
            case .add: PackageResources.add_comp
            case .addNorm: PackageResources.add_norm_comp
            case .attention: PackageResources.attention_comp
            case .attentionReduce: PackageResources.attention_reduce_comp
            case .candidates: PackageResources.candidates_glsl
            case .candidatesMerge: PackageResources.candidates_merge_comp
            case .candidatesSegment: PackageResources.candidates_segment_comp
            case .digits: PackageResources.digits_glsl
            case .digitsKernel: PackageResources.digits_comp
            case .digitsRecords: PackageResources.digits_records_glsl
            case .embed: PackageResources.embed_comp
            case .gated: PackageResources.gated_glsl
            case .gatedKernel: PackageResources.gated_comp
            case .gatedDigits: PackageResources.gated_digits_comp
            case .gather: PackageResources.gather_comp
            case .head: PackageResources.head_comp
            case .columns: PackageResources.columns_glsl
            case .linear: PackageResources.linear_glsl
            case .packedSlices: PackageResources.packed_slices_glsl
            case .tiles: PackageResources.tiles_glsl
            case .linearBroadcast: PackageResources.linear_broadcast_comp
            case .linearTiled: PackageResources.linear_tiled_comp
            case .linearColumns: PackageResources.linear_columns_comp
            case .multiply: PackageResources.multiply_comp
            case .norm: PackageResources.norm_comp
            case .packed: PackageResources.packed_glsl
            case .packedBroadcast: PackageResources.packed_broadcast_comp
            case .packedColumns: PackageResources.packed_columns_comp
            case .packedDot: PackageResources.packed_dot_glsl
            case .packedDotColumns: PackageResources.packed_dot_columns_comp
            case .packedDotTiled: PackageResources.packed_dot_tiled_comp
            case .packedEmbed: PackageResources.packed_embed_comp
            case .packedTiled: PackageResources.packed_tiled_comp
            case .read: PackageResources.read_comp
            case .reorder: PackageResources.reorder_comp
            case .tileHalf: PackageResources.tile_half_glsl
            case .tileSingle: PackageResources.tile_single_glsl
            case .softCap: PackageResources.soft_cap_comp
            case .headToValue: PackageResources.head_to_value_glsl
            case .headToCache: PackageResources.head_to_cache_glsl
            }
        return String(decoding: bytes, as: UTF8.self)
    }
}
