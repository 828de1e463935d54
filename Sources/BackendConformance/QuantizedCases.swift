import Backends
import Tensors

extension BackendConformance {
    /// Linear operations and tables of quantized weights, with exact activations and with those that a backend may round.
    static func quantizedCases(
        _ formats: [WeightFormat], _ activationTypes: [ElementType]
    ) -> [ConformanceCase] {
        formats.enumerated().flatMap { index, format in
            let seed = UInt64(80 + index)
            return linearCases(format, activationTypes, number: index, seed: seed) + tableCases(format, seed: seed)
                + attendedCases(format, activationTypes, seed: seed)
                + (index % 8 == 0 ? activatedCases(format, activationTypes, seed: seed) : [])
        }
    }

    /// Quantized weights that read an attention's output. The heads that share keys are whole records of 32 numbers, or
    /// not, which decides whether the attention can quantize its output by itself.
    private static func attendedCases(
        _ format: WeightFormat, _ activationTypes: [ElementType], seed: UInt64
    ) -> [ConformanceCase] {
        var cases: [ConformanceCase] = []
        for (headSize, keyValueHeads) in [(32, 4), (16, 16)] where format.fits(inputSize: 256) {
            for compute in activationTypes {
                var sketch = PlanSketch(seed: seed)
                let heads = 256 / headSize
                let width = keyValueHeads * headSize
                let attended = sketch.attention(
                    query: sketch.input(256, bound: 2), key: sketch.input(width, bound: 2), value: sketch.input(width),
                    headSize: headSize, AttentionShape(queryHeadCount: heads, scale: 1 / Float(headSize).squareRoot()))
                let result = sketch.linear(attended, sketch.quantized("quantized", 70, 256, format, compute))
                cases.append(
                    ConformanceCase(
                        name: "linear \(format), \(compute), of \(heads)/\(keyValueHeads) heads",
                        tolerance: Tolerance.linear(compute), plan: sketch.finished(result),
                        sequences: sequences([13, 1, 19], seed: seed), cacheType: .f32, blockSize: 4))
            }
        }
        return cases
    }

    /// Every format with every number of rows, on inputs of whole slices of 32 and on inputs that end inside of a slice.
    ///
    /// Shapes and activation types rotate with the format and the number of rows: every two of the four choices occur
    /// together in some case, but not every three. Codes of every width, at every number of rows, are compared with doubles
    /// by the tests of each kernel (`CPUKernelsTests`; the self-test of a Vulkan kernel).
    private static func linearCases(
        _ format: WeightFormat, _ activationTypes: [ElementType], number: Int, seed: UInt64
    ) -> [ConformanceCase] {
        var cases: [ConformanceCase] = []
        for (index, rowCount) in [1, 2, 3, 5, 6, 7, 33, 50].enumerated() {
            for shapes in [[(256, 64), (576, 65), (768, 192)], [(77, 130), (1, 3)]] {
                // Large batches of the largest shape would take most of the time.
                let shapes = shapes.filter { format.fits(inputSize: $0.0) && (rowCount < 9 || $0.0 < 700) }
                guard !shapes.isEmpty else { continue }
                let rotation = number + index
                let (inputSize, outputSize) = shapes[rotation % shapes.count]
                // Half as fast as the shapes, so that each shape meets each type.
                let compute = activationTypes[rotation / 2 % activationTypes.count]
                cases.append(
                    rowCase(
                        "linear \(format), \(compute), \(inputSize) to \(outputSize)", rowCount: rowCount,
                        tolerance: Tolerance.linear(compute), seed: seed
                    ) { sketch in
                        let input = sketch.input(inputSize)
                        let weights = sketch.quantized("quantized", outputSize, inputSize, format, compute)
                        return sketch.linear(
                            input, weights,
                            bias: rowCount % 2 == 1 ? sketch.vector("bias", outputSize, around: 0) : nil)
                    })
            }
        }
        cases.append(
            rowCase("two linears of one input, \(format)", rowCount: 9, tolerance: Tolerance.single, seed: seed) {
                sketch in
                let input = sketch.norm(sketch.input(256))
                let left = sketch.linear(input, sketch.quantized("left", 70, 256, format, .f32))
                return sketch.add(left, sketch.linear(input, sketch.quantized("right", 70, 256, format, .f32)))
            })
        return cases
    }

    /// Quantized weights that read what operations write that cannot quantize it by themselves.
    private static func activatedCases(
        _ format: WeightFormat, _ activationTypes: [ElementType], seed: UInt64
    ) -> [ConformanceCase] {
        guard format.fits(inputSize: 256) else { return [] }
        return activationTypes.prefix(1).map { compute in
            rowCase("linear \(format), of an activation", rowCount: 9, tolerance: Tolerance.linear(compute), seed: seed)
            {
                sketch in
                let input = sketch.layerNorm(sketch.input(300))
                let active = sketch.activation(sketch.slice(input, 20..<276), .gelu)
                return sketch.linear(active, sketch.quantized("quantized", 70, 256, format, compute))
            }
        }
    }

    private static func tableCases(_ format: WeightFormat, seed: UInt64) -> [ConformanceCase] {
        guard format.isTable else { return [] }
        var cases: [ConformanceCase] = []
        for width in [77, 256, 576] where format.fits(inputSize: width) {
            cases.append(
                rowCase("embed \(format), width \(width)", rowCount: 5, tolerance: Tolerance.exact, seed: seed) {
                    sketch in
                    let table = sketch.quantized("table", PlanSketch.vocabularySize, width, format, .f32)
                    return sketch.embed(table, width, scale: 2.5)
                })
            cases.append(
                rowCase("tied \(format), width \(width)", rowCount: 9, tolerance: Tolerance.single, seed: seed) {
                    sketch in
                    let table = sketch.quantized("table", PlanSketch.vocabularySize, width, format, .f32)
                    let rows = sketch.embed(table, width, scale: 3)
                    return sketch.linear(sketch.gather(rows), table)
                })
        }
        return cases
    }
}

extension PlanSketch {
    /// A random quantized matrix; `compute` is the type to which a backend may round activations.
    mutating func quantized(
        _ name: String, _ outputSize: Int, _ inputSize: Int, _ format: WeightFormat, _ compute: ElementType
    ) -> MatrixID {
        let matrix = format.matrix(
            outputSize: outputSize, inputSize: inputSize, computeType: compute, &random)
        return add(name, .quantized(matrix))
    }
}
