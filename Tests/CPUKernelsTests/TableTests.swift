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
        let expected: [Int?] =
            switch table.isa {
            case .avx512vnni, .avx512bf16: [1, 2, 3]
            case .avx2, .avx512: [nil, 1, 2, 3]
            default: [nil]
            }
        #expect(QuantizedProduct.all(table).map(\.limbCount) == expected)
    }
}
