import CPUKernels
import Testing

@Suite struct ActivationTests {
    /// From far below to far above where exp over- and underflows, denser near zero.
    static let inputs: [Float] =
        (-600...600).map { Float($0) * 0.2 } + (-200...200).map { Float($0) * 0.001 } + [0, -0.0, 1e-30, -1e-30]

    private static let xielu = quire_xielu(alpha_positive: 0.9, alpha_negative: 1.4, beta: 0.5, epsilon: -1e-6)
    private static let gates: [quire_activation] = [.silu, .geluTanh, .gelu, .relu, .sigmoid, .reluSquared]

    private func expected(_ activation: quire_activation, _ x: Double) -> Double {
        switch activation {
        case .gelu: return 0.5 * x * complementaryError(-x / 2.0.squareRoot())
        case .relu: return max(x, 0)
        case .sigmoid: return 1 / (1 + exponential(-x))
        case .reluSquared: return max(x, 0) * max(x, 0)
        case .xielu:
            let (p, n, b) = (Self.xielu.alpha_positive, Self.xielu.alpha_negative, Self.xielu.beta)
            return x > 0
                ? Double(p) * x * x + Double(b) * x
                : (exponentialMinusOne(min(x, Double(Self.xielu.epsilon))) - x) * Double(n) + Double(b) * x
        case .silu: return x / (1 + exponential(-x))
        case .geluTanh:
            let u = (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
            return x / (1 + exponential(-2 * u))
        }
    }

    @Test(arguments: KernelTable.available, gates)
    func agreesWithDoubles(table: KernelTable, activation: quire_activation) {
        let count = Self.inputs.count
        let up = Self.inputs.indices.map { Float($0 % 7) - 2.5 }
        var y = [Float](repeating: 0, count: count)
        table.kernels.gated_activation(activation, Self.inputs, count, up, count, &y, count, 1, count)
        for i in 0..<count {
            let want = expected(activation, Double(Self.inputs[i])) * Double(up[i])
            // The argument of exp is rounded: its relative error grows with the argument, up to 104 * 2^-23 where
            // the result has not yet vanished. Where exp(-x) overflows the result is zero instead of 5e-37.
            let tolerance = 1.5e-5 * abs(want) + 5e-37
            #expect(abs(Double(y[i]) - want) <= tolerance, "\(activation) of \(Self.inputs[i]) gave \(y[i])")
            guard abs(Self.inputs[i]) < 5 else { continue }
            #expect(abs(Double(y[i]) - want) <= 3e-6 * abs(want) + 1e-37, "\(activation) of \(Self.inputs[i])")
        }
    }

    @Test(arguments: KernelTable.available)
    func clampedSwiGLUAgreesWithDoubles(table: KernelTable) {
        let inputs = Self.inputs + [.nan, 1]
        let count = inputs.count
        // Both clamps and the range between them.
        let up = (0..<count - 1).map { Float($0 % 19) - 9.25 } + [Float.nan]
        var y = [Float](repeating: 0, count: count)
        table.kernels.clamped_swiglu(inputs, count, up, count, &y, count, 1, count, 1.702, 7)
        for i in 0..<count - 2 {
            let gate = min(Double(inputs[i]), 7)
            let want = gate / (1 + exponential(-Double(Float(1.702)) * gate)) * (max(min(Double(up[i]), 7), -7) + 1)
            #expect(abs(Double(y[i]) - want) <= 2e-5 * abs(want) + 5e-36, "\(inputs[i]), \(up[i]) gave \(y[i])")
        }
        #expect(y[count - 2].isNaN && y[count - 1].isNaN)
        // Rows with strides, in place.
        var inPlace = inputs
        inPlace.withUnsafeMutableBufferPointer { p in
            guard let base = p.baseAddress else { return }
            table.kernels.clamped_swiglu(base, 1, up, 1, base, 1, count - 2, 1, 1.702, 7)
        }
        #expect(bits(inPlace.dropLast(2)) == bits(y.dropLast(2)))
    }

    /// Without a gate: the same numbers as with an `up` of ones, in place as well, and NaN stays NaN.
    @Test(arguments: KernelTable.available, gates + [.xielu])
    func agreesWithoutGate(table: KernelTable, activation: quire_activation) {
        var numbers = Self.xielu
        let inputs = Self.inputs + [.nan]
        var y = [Float](repeating: 0, count: inputs.count)
        table.kernels.activation(activation, &numbers, inputs, &y, inputs.count)
        for (index, x) in inputs.dropLast().enumerated() {
            let want = expected(activation, Double(x))
            #expect(
                abs(Double(y[index]) - want) <= 1.5e-5 * abs(want) + 5e-37, "\(activation) of \(x) gave \(y[index])")
            guard abs(x) < 5 else { continue }
            #expect(abs(Double(y[index]) - want) <= 3e-6 * abs(want) + 1e-37, "\(activation) of \(x)")
        }
        #expect(y[y.count - 1].isNaN)
        var inPlace = inputs
        inPlace.withUnsafeMutableBufferPointer { p in
            guard let base = p.baseAddress else { return }
            table.kernels.activation(activation, &numbers, base, base, p.count)
        }
        #expect(bits(inPlace.dropLast()) == bits(y.dropLast()))
        guard activation != .xielu else { return }
        let ones = [Float](repeating: 1, count: inputs.count)
        var gated = y
        table.kernels.gated_activation(activation, inputs, 1, ones, 1, &gated, 1, inputs.count, 1)
        #expect(bits(gated.dropLast()) == bits(y.dropLast()))
    }

    @Test(arguments: KernelTable.available, [1, 16, 77])
    func scalingIsExact(table: KernelTable, count: Int) {
        var numbers = Numbers(seed: 13)
        let x = numbers.floats(count)
        var y = [Float](repeating: 777, count: count + 1)
        table.kernels.scale(x, &y, count, 0.3)
        #expect(bits(y) == bits(x.map { $0 * 0.3 } + [777]))
    }

    @Test(arguments: KernelTable.available, [1, 15, 16, 17, 100])
    func columnsOfAFusedMatrixAndInPlace(table: KernelTable, width: Int) {
        let rows = 3
        var numbers = Numbers(seed: 12)
        let fused = numbers.floats(rows * 2 * width, bound: 4)
        var y = [Float](repeating: 777, count: rows * (width + 1))
        fused.withUnsafeBufferPointer { p in
            guard let base = p.baseAddress else { return }
            table.kernels.gated_activation(
                .silu, base, 2 * width, base + width, 2 * width, &y, width + 1, rows, width)
        }
        var inPlace = fused
        inPlace.withUnsafeMutableBufferPointer { p in
            guard let base = p.baseAddress else { return }
            table.kernels.gated_activation(
                .silu, base, 2 * width, base + width, 2 * width, base, 2 * width, rows, width)
        }
        for row in 0..<rows {
            // One number alone gives the same bits as in its row.
            for i in 0..<width {
                var one: [Float] = [0]
                let gate = [fused[row * 2 * width + i]]
                let up = [fused[row * 2 * width + width + i]]
                table.kernels.gated_activation(.silu, gate, 1, up, 1, &one, 1, 1, 1)
                #expect(one[0].bitPattern == y[row * (width + 1) + i].bitPattern)
                #expect(one[0].bitPattern == inPlace[row * 2 * width + i].bitPattern)
            }
            #expect(y[row * (width + 1) + width] == 777)
        }
    }

    @Test(arguments: KernelTable.available)
    func softCapAgreesWithDoubles(table: KernelTable) {
        let count = Self.inputs.count
        for cap: Float in [1, 30, 50] {
            var y = [Float](repeating: 0, count: count)
            table.kernels.soft_cap(Self.inputs, &y, count, cap)
            for i in 0..<count {
                let want = Double(cap) * tanhOf(Double(Self.inputs[i]) / Double(cap))
                #expect(abs(Double(y[i]) - want) <= 4e-7 * abs(want), "cap \(cap) of \(Self.inputs[i])")
            }
        }
    }
}
