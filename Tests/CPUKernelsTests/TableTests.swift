import CPUKernels
import Testing

@Suite struct TableTests {
    @Test func portableIsAlwaysThereAndTheBestIsAvailable() {
        #expect(quire_kernels_for(.portable) != nil)
        #expect(quire_kernels_for(quire_best_isa()) != nil)
        #expect(quire_best_isa() == KernelTable.available.last?.isa)
    }

    @Test(arguments: KernelTable.available)
    func aTableKnowsItsName(table: KernelTable) {
        #expect(table.kernels.isa == table.isa)
        #expect(table.kernels.linear_bf16_activation == (table.isa == .avx512bf16 ? .bf16 : .f32))
        let hasBytes = table.isa == .avx512vnni || table.isa == .avx512bf16
        #expect(QuantizedProduct.all(table).map(\.byteCount) == (hasBytes ? [1, 2, 3] : [nil]))
    }
}
