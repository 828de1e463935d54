/// Every kernel of the backend.
enum KernelCatalog {
    /// One line for each kernel, in the order in which `quire devices` lists them.
    static let kernels: [any Kernel.Type] = [
        EmbedKernel.self,
        QuantizedEmbedKernel.self,
        NormKernel.self,
        AddNormKernel.self,
        LinearKernel.self,
        QuantizedLinearKernel.self,
        QuantizeKernel.self,
        IntegerLinearKernel.self,
        HeadKernel.self,
        AttentionKernel.self,
        AttentionReduceKernel.self,
        GatedKernel.self,
        AddKernel.self,
        GatherKernel.self,
        ReorderKernel.self,
        SoftCapKernel.self,
        CandidateSegmentKernel.self,
        CandidateMergeKernel.self,
    ]

    static var operations: [KernelOperation] { kernels.flatMap { $0.operations } }
}
