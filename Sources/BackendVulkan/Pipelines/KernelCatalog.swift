/// Every kernel of the backend.
enum KernelCatalog {
    /// One line for each kernel, in the order in which `quire devices` lists them.
    static let kernels: [any Kernel.Type] = [
        EmbedKernel.self,
        QuantizedEmbedKernel.self,
        NormKernel.self,
        LayerNormKernel.self,
        AddNormKernel.self,
        LinearKernel.self,
        QuantizedLinearKernel.self,
        QuantizeKernel.self,
        IntegerLinearKernel.self,
        RouteKernel.self,
        GroupRowsKernel.self,
        SelectedLinearKernel.self,
        SelectedQuantizedLinearKernel.self,
        SelectedIntegerLinearKernel.self,
        WeightedSumKernel.self,
        HeadKernel.self,
        AttentionKernel.self,
        AttentionReduceKernel.self,
        GatedKernel.self,
        ActivationKernel.self,
        ScaleKernel.self,
        PositionScaleKernel.self,
        SliceKernel.self,
        ConcatHeadsKernel.self,
        CountExpertsKernel.self,
        AddKernel.self,
        GatherKernel.self,
        ReorderKernel.self,
        SoftCapKernel.self,
        CandidateSegmentKernel.self,
        CandidateMergeKernel.self,
    ]

    static var operations: [KernelOperation] { kernels.flatMap { $0.operations } }

    /// Names that variants had, for configurations that switch them off.
    static let formerNames: KeyValuePairs = [
        "linear_columns": "gemv",
        "linear_broadcast": "gemv_broadcast",
        "linear_tiled": "gemm",
        "linear_tiled_half": "gemm_half",
        "packed_embed": "embed_quantized",
        "packed_columns": "gemv_quantized",
        "packed_broadcast": "gemv_quantized_broadcast",
        "packed_tiled": "gemm_quantized",
        "packed_dot_columns": "gemv_integer",
        "packed_dot_tiled": "gemm_integer",
        "digits": "quantize",
        "add_norm_digits_subgroup": "add_norm_quantized_subgroup",
        "add_norm_digits_shared": "add_norm_quantized_shared",
        "attention_reduce_digits": "attention_reduce_quantized",
        "gated_digits": "gated_quantized",
    ]
}
