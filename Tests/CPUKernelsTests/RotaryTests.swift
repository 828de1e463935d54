import CPUKernels
import Testing

@Suite struct RotaryTests {
    @Test(arguments: KernelTable.available, [quire_pairing.halves, .interleaved])
    func rotatesThePairsAndCopiesTheRest(table: KernelTable, pairing: quire_pairing) {
        for (headSize, rotarySize) in [(2, 2), (64, 64), (64, 32), (70, 34), (128, 128), (5, 4), (8, 0)] {
            let (tokens, heads) = (3, 2)
            let half = rotarySize / 2
            let stride = heads * headSize + 3
            var numbers = Numbers(seed: 6)
            let x = numbers.floats(tokens * stride)
            let angles = numbers.floats(tokens * half, bound: 3)
            let cosines = angles.map { Float(cosine(Double($0))) }
            let sines = angles.map { Float(sine(Double($0))) }
            var y = [Float](repeating: 777, count: tokens * stride)
            table.kernels.rotary_embedding(
                x, stride, &y, stride, tokens, heads, headSize, rotarySize, pairing, cosines, sines)
            var expected = [Double](repeating: 777, count: tokens * stride)
            for token in 0..<tokens {
                for head in 0..<heads {
                    let start = token * stride + head * headSize
                    for i in rotarySize..<headSize { expected[start + i] = Double(x[start + i]) }
                    for i in 0..<half {
                        let first = start + (pairing == .halves ? i : 2 * i)
                        let second = pairing == .halves ? first + half : first + 1
                        let (a, b) = (Double(x[first]), Double(x[second]))
                        let (c, s) = (Double(cosines[token * half + i]), Double(sines[token * half + i]))
                        expected[first] = a * c - b * s
                        expected[second] = b * c + a * s
                    }
                }
            }
            // Two products within ±1 and one addition.
            let worst = zip(y, expected).map { abs(Double($0) - $1) }.max() ?? .nan
            #expect(worst < 2e-7, "head size \(headSize), rotary size \(rotarySize)")

            var inPlace = x
            inPlace.withUnsafeMutableBufferPointer { p in
                guard let base = p.baseAddress else { return }
                table.kernels.rotary_embedding(
                    base, stride, base, stride, tokens, heads, headSize, rotarySize, pairing, cosines, sines)
            }
            for token in 0..<tokens {
                let range = (token * stride)..<(token * stride + heads * headSize)
                #expect(bits(inPlace[range]) == bits(y[range]))
            }
        }
    }
}
