import CPUKernels
import Testing

@Suite struct NormTests {
    static let sizes = [1, 3, 15, 16, 17, 63, 64, 65, 127, 576]

    @Test(arguments: KernelTable.available, sizes)
    func normalisesEachGroup(table: KernelTable, size: Int) {
        let (rows, groups, stride) = (3, 2, 2 * size + 5)
        var numbers = Numbers(seed: 4)
        let x = numbers.floats(rows * stride, bound: 5)
        let weight = numbers.floats(size, bound: 2)
        var y = [Float](repeating: 777, count: rows * stride)
        table.kernels.rms_norm(x, stride, &y, stride, rows, groups, size, weight, 1e-5)
        for row in 0..<rows {
            for group in 0..<groups {
                let start = row * stride + group * size
                let square = x[start..<(start + size)].reduce(0) { $0 + Double($1) * Double($1) } / Double(size)
                for i in 0..<size {
                    let expected = Double(x[start + i]) / (square + 1e-5).squareRoot() * Double(weight[i])
                    // Half a unit in the last place of each of six roundings, and the sum's.
                    #expect(abs(Double(y[start + i]) - expected) <= 6e-7 * abs(expected) + 1e-12)
                }
            }
            let untouched = y[(row * stride + 2 * size)..<((row + 1) * stride)].allSatisfy { $0 == 777 }
            #expect(untouched)
        }
        var inPlace = x
        inPlace.withUnsafeMutableBufferPointer { p in
            guard let base = p.baseAddress else { return }
            table.kernels.rms_norm(base, stride, base, stride, rows, groups, size, weight, 1e-5)
        }
        for row in 0..<rows {
            let range = (row * stride)..<(row * stride + 2 * size)
            #expect(bits(inPlace[range]) == bits(y[range]))
        }
    }

    @Test(arguments: KernelTable.available, sizes)
    func fusedAdditionGivesTheBitsOfTwoSteps(table: KernelTable, size: Int) {
        let rows = 3
        var numbers = Numbers(seed: 5)
        let x = numbers.floats(rows * size)
        let residual = numbers.floats(rows * size)
        let weight = numbers.floats(size)
        var sum = [Float](repeating: 0, count: rows * size)
        var y = sum
        table.kernels.add(x, size, residual, size, &sum, size, rows, size)
        #expect(bits(sum) == bits(zip(x, residual).map { $0 + $1 }))
        table.kernels.rms_norm(sum, size, &y, size, rows, 1, size, weight, 1e-6)
        var fusedSum = x
        var fused = y.map { _ in Float(0) }
        fusedSum.withUnsafeMutableBufferPointer { p in
            guard let base = p.baseAddress else { return }
            table.kernels.add_rms_norm(
                base, size, residual, size, base, size, &fused, size, rows, size, weight, 1e-6)
        }
        #expect(bits(fusedSum) == bits(sum))
        #expect(bits(fused) == bits(y))
    }

    /// Groups far from zero, with weights and biases of one group, of both groups, and with none.
    @Test(arguments: KernelTable.available, sizes)
    func centresAndNormalisesEachGroup(table: KernelTable, size: Int) {
        let (rows, groups, stride) = (3, 2, 2 * size + 5)
        var numbers = Numbers(seed: 14)
        let x = numbers.floats(rows * stride, bound: 2).map { $0 + 20 }
        let vector = numbers.floats(2 * size, bound: 2)
        for (weightStride, biasStride) in [(0, size), (size, 0), (nil, size), (0, nil), (nil, nil)] as [(Int?, Int?)] {
            var y = [Float](repeating: 777, count: rows * stride)
            vector.withUnsafeBufferPointer { vector in
                table.kernels.layer_norm(
                    x, stride, &y, stride, rows, groups, size, weightStride == nil ? nil : vector.baseAddress,
                    weightStride ?? 0, biasStride == nil ? nil : vector.baseAddress, biasStride ?? 0, 1e-5)
            }
            for row in 0..<rows {
                for group in 0..<groups {
                    let start = row * stride + group * size
                    let own = x[start..<start + size].map { Double($0) }
                    let mean = own.reduce(0, +) / Double(size)
                    let variance = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(size)
                    for i in 0..<size {
                        let weight = weightStride.map { Double(vector[group * $0 + i]) } ?? 1
                        let bias = biasStride.map { Double(vector[group * $0 + i]) } ?? 0
                        let expected = (own[i] - mean) / (variance + 1e-5).squareRoot() * weight + bias
                        // The mean is rounded at 20, where a unit in the last place is 2e-6.
                        #expect(abs(Double(y[start + i]) - expected) <= 4e-5)
                    }
                }
            }
            let untouched = y[(rows * stride - 5)...].allSatisfy { $0 == 777 }
            #expect(untouched)
        }
    }
}
