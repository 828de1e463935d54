import Backends
import Tensors

extension BackendConformance {
    /// Linear operations and tables of quantized weights, with exact activations and with those that a backend may round.
    static func quantizedCases(
        _ formats: [WeightFormat], _ activationTypes: [ElementType], _ coverage: Coverage
    ) -> [ConformanceCase] {
        quantizedLinearCases(formats, activationTypes, coverage) + quantizedUseCases(formats, activationTypes, coverage)
            + stride(from: 0, to: formats.count, by: 8).flatMap { activatedCases(formats[$0], activationTypes) }
    }

    /// Each format with inputs of whole slices of 32 and with inputs that end inside of a slice, with few rows and with
    /// many, and with each type of activations.
    ///
    /// Many rows are also computed in random chunks, so each format meets every kernel for some number of rows. Formats
    /// differ in how kernels unpack codes and scales, so exact numbers of rows and shapes need not meet every format. Codes of
    /// every width, at every number of rows, are compared with doubles by the tests of each kernel (`CPUKernelsTests`; the
    /// self-test of a Vulkan kernel).
    private static func quantizedLinearCases(
        _ formats: [WeightFormat], _ activationTypes: [ElementType], _ coverage: Coverage
    ) -> [ConformanceCase] {
        let shapes = [[(256, 64), (576, 65), (768, 192)], [(77, 130), (1, 3)]]
        let rowCounts = [[1, 2, 3, 5, 6, 7], [33, 50]]
        let array = CoveringArray(
            levelCounts: [formats.count, shapes.count, rowCounts.count, activationTypes.count, 6, 3],
            unrelated: [(0, 4), (0, 5)])
        return array.rows(coverage).map { row in
            let (format, compute) = (formats[row[0]], activationTypes[row[3]])
            let rowCount = rowCounts[row[2]][row[4] % rowCounts[row[2]].count]
            // Blocks are whole slices. Large batches of the largest shape would take most of the time.
            let fitting = [shapes[row[1]], shapes[0]].map { shapes in
                shapes.filter { format.fits(inputSize: $0.0) && (rowCount < 9 || $0.0 < 700) }
            }.first { !$0.isEmpty }
            guard let fitting else { preconditionFailure("no shape for \(format)") }
            let (inputSize, outputSize) = fitting[row[5] % fitting.count]
            return rowCase(
                "linear \(format), \(compute), \(inputSize) to \(outputSize)", rowCount: rowCount,
                tolerance: Tolerance.linear(compute), seed: UInt64(80 + row[0])
            ) { sketch in
                let input = sketch.input(inputSize)
                let weights = sketch.quantized("quantized", outputSize, inputSize, format, compute)
                return sketch.linear(
                    input, weights, bias: rowCount % 2 == 1 ? sketch.vector("bias", outputSize, around: 0) : nil)
            }
        }
    }

    /// What a quantized matrix may be used for, beside a product with an input of its own.
    private enum Use: CaseIterable { case besideAnother, embedded, tied, attended }

    /// Each format with each use.
    private static func quantizedUseCases(
        _ formats: [WeightFormat], _ activationTypes: [ElementType], _ coverage: Coverage
    ) -> [ConformanceCase] {
        let uses = Use.allCases
        let array = CoveringArray(
            levelCounts: [formats.count, uses.count, activationTypes.count, 3], unrelated: [(0, 2), (0, 3)])
        return array.rows(coverage).compactMap { row in
            let format = formats[row[0]]
            let seed = UInt64(80 + row[0])
            let widths = [77, 256, 576].filter { format.fits(inputSize: $0) }
            let use = uses[row[1]]
            // Only a table with its columns in order can be looked up.
            if !format.isTable, use == .embedded || use == .tied { return nil }
            switch use {
            case .besideAnother: return besideAnother(format, seed: seed)
            case .embedded: return embedded(format, width: widths[row[3] % widths.count], seed: seed)
            case .tied: return tied(format, width: widths[row[3] % widths.count], seed: seed)
            case .attended:
                return attended(format, activationTypes[row[2]], headSize: row[3] % 2 == 0 ? 32 : 16, seed: seed)
            }
        }
    }

    /// Two matrices that read one input, which a backend may make one of.
    private static func besideAnother(_ format: WeightFormat, seed: UInt64) -> ConformanceCase {
        rowCase("two linears of one input, \(format)", rowCount: 9, tolerance: Tolerance.single, seed: seed) { sketch in
            let input = sketch.norm(sketch.input(256))
            let left = sketch.linear(input, sketch.quantized("left", 70, 256, format, .f32))
            return sketch.add(left, sketch.linear(input, sketch.quantized("right", 70, 256, format, .f32)))
        }
    }

    private static func embedded(_ format: WeightFormat, width: Int, seed: UInt64) -> ConformanceCase {
        rowCase("embed \(format), width \(width)", rowCount: 5, tolerance: Tolerance.exact, seed: seed) { sketch in
            let table = sketch.quantized("table", PlanSketch.vocabularySize, width, format, .f32)
            return sketch.embed(table, width, scale: 2.5)
        }
    }

    /// One matrix is both looked up and multiplied with.
    private static func tied(_ format: WeightFormat, width: Int, seed: UInt64) -> ConformanceCase {
        rowCase("tied \(format), width \(width)", rowCount: 9, tolerance: Tolerance.single, seed: seed) { sketch in
            let table = sketch.quantized("table", PlanSketch.vocabularySize, width, format, .f32)
            let rows = sketch.embed(table, width, scale: 3)
            return sketch.linear(sketch.gather(rows), table)
        }
    }

    /// Weights that read an attention's output. The heads that share keys are whole records of 32 numbers, or not, which
    /// decides whether the attention can quantize its output by itself.
    private static func attended(
        _ format: WeightFormat, _ compute: ElementType, headSize: Int, seed: UInt64
    ) -> ConformanceCase {
        var sketch = PlanSketch(seed: seed)
        let heads = 256 / headSize
        let keyValueHeads = headSize == 32 ? 4 : 16
        let width = keyValueHeads * headSize
        let attended = sketch.attention(
            query: sketch.input(256, bound: 2), key: sketch.input(width, bound: 2), value: sketch.input(width),
            headSize: headSize, AttentionShape(queryHeadCount: heads, scale: 1 / Float(headSize).squareRoot()))
        let result = sketch.linear(attended, sketch.quantized("quantized", 70, 256, format, compute))
        return ConformanceCase(
            name: "linear \(format), \(compute), of \(heads)/\(keyValueHeads) heads",
            tolerance: Tolerance.linear(compute), plan: sketch.finished(result),
            sequences: sequences([13, 1, 19], seed: seed), cacheType: .f32, blockSize: 4)
    }

    /// Weights that read what operations write that cannot quantize it by themselves.
    private static func activatedCases(
        _ format: WeightFormat, _ activationTypes: [ElementType]
    ) -> [ConformanceCase] {
        activationTypes.prefix(1).map { compute in
            rowCase("linear \(format), of an activation", rowCount: 9, tolerance: Tolerance.linear(compute), seed: 88) {
                sketch in
                let input = sketch.layerNorm(sketch.input(300))
                let active = sketch.activation(sketch.slice(input, 20..<276), .gelu)
                return sketch.linear(active, sketch.quantized("quantized", 70, 256, format, compute))
            }
        }
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
