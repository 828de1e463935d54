import Testing

@testable import BackendVulkan

/// The part of a kernel's GLSL that is generated from Swift.
struct KernelInterfaceTests {
    @Test("Parameters become the block of push constants, groups with a prefix and nested parameters without")
    func block() {
        #expect(
            QuantizedLinearKernel.Parameters.glsl == """
                layout(push_constant) uniform Parameters {
                    uint row_count;
                    uint input_size;
                    uint output_size;
                    uint input_stride;
                    uint input_offset;
                    uint output_stride;
                    uint output_offset;
                    uint has_bias;
                    uint bias_offset;
                    uint group_slices;
                    uint group_count;
                };

                """)
        #expect(SoftCapKernel.Parameters.glsl.contains("    float cap;\n"))
    }

    @Test("The words of parameters lie in the order of the block")
    func words() {
        let parameters = SoftCapKernel.Parameters(
            width: 1, input: RowLayout(stride: 2, offset: 3), output: RowLayout(stride: 4, offset: 5), cap: 0.5)
        #expect(parameters.words == [1, 2, 3, 4, 5, Float(0.5).bitPattern])
    }

    @Test("Bindings are numbered in the order of their cases, and so are buffers")
    func bindings() {
        #expect(AttentionKernel.Binding.definitions["QUERIES_BINDING"] == 0)
        #expect(AttentionKernel.Binding.definitions["BLOCK_TABLES_BINDING"] == 6)
        #expect(GatherKernel.Binding.ordered([.output: "o", .rows: "r", .input: "i"]) == ["r", "i", "o"])
    }

    @Test("A variant name stands for one source, and former names for variants that exist")
    func catalog() {
        let variants = KernelCatalog.operations.flatMap(\.variants)
        let sources = Dictionary(grouping: variants, by: \.name).values
        #expect(sources.allSatisfy { same in same.allSatisfy { $0.parts == same[0].parts } })
        #expect(KernelCatalog.formerNames.allSatisfy { former in variants.contains { $0.name == former.value } })
    }
}
