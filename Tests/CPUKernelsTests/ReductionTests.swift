import CPUKernels
import Testing

@Suite struct ReductionTests {
    @Test(arguments: KernelTable.available, [1, 2, 15, 16, 17, 100, 1023])
    func argmaxIsTheFirstOfTheLargest(table: KernelTable, count: Int) {
        var numbers = Numbers(seed: 13)
        for _ in 0..<20 {
            var x = numbers.floats(count)
            let at = Int(numbers.next() % UInt64(count))
            x[at] = 2
            for later in at..<count where later % 3 == 0 { x[later] = 2 }
            #expect(table.kernels.argmax(x, count) == at)
        }
    }

    @Test(arguments: KernelTable.available)
    func argmaxOfOddRows(table: KernelTable) {
        let nan = Float.nan
        #expect(table.kernels.argmax([nan, -1, nan, 3, nan], 5) == 3)
        #expect(table.kernels.argmax([nan, nan], 2) == 0)
        #expect(table.kernels.argmax([-.infinity, -.infinity], 2) == 0)
        var long = [Float](repeating: nan, count: 40)
        long[33] = -5
        #expect(table.kernels.argmax(long, 40) == 33)
    }

    @Test(arguments: KernelTable.available, [1, 2, 15, 16, 17, 1000, 1024, 1025, 50000])
    func logSumExpAgreesWithDoubles(table: KernelTable, count: Int) {
        var numbers = Numbers(seed: 14)
        for bound: Float in [1, 30, 1000] {
            let x = numbers.floats(count, bound: bound)
            let largest = Double(x.max() ?? 0)
            let want = largest + logarithm(x.reduce(0) { $0 + exponential(Double($1) - largest) })
            let got = table.kernels.log_sum_exp(x, count)
            #expect(abs(got - want) < 1e-6, "\(count) numbers within \(bound): \(got) against \(want)")
        }
    }

    @Test(arguments: KernelTable.available)
    func logSumExpOfNothingAndOfInfinities(table: KernelTable) {
        #expect(table.kernels.log_sum_exp([0], 0) == -.infinity)
        #expect(table.kernels.log_sum_exp([-.infinity, -.infinity], 2) == -.infinity)
        #expect(table.kernels.log_sum_exp([-.infinity, 3], 2) == 3)
    }
}
