public import Backends
import SharedValues
public import Tensors

extension BackendConformance {
    /// Cases of every operation, with the given types and with odd shapes, in the combinations that `coverage` takes. A
    /// backend names the quantized formats that it executes, and the types to which it may round activations before it
    /// multiplies them with quantized weights.
    public static func cases(
        weightTypes: [ElementType] = ElementType.allCases, cacheTypes: [CacheType] = CacheType.allCases,
        weightFormats: [WeightFormat] = WeightFormat.all, activationTypes: [ElementType] = [.f32, .bf16],
        coverage: Coverage = .pairs
    ) -> [ConformanceCase] {
        embeddingCases(weightTypes, coverage) + positionCases(weightTypes, coverage) + normCases() + layerNormCases()
            + linearCases(weightTypes, coverage) + elementwiseCases(coverage) + activationCases(coverage)
            + scaleCases() + rotaryCases(coverage)
            + attentionCases(cacheTypes, coverage) + sharedLayerCases(cacheTypes)
            + cacheGroupCases(cacheTypes, coverage)
            + layerCases(weightTypes, cacheTypes, coverage)
            + quantizedCases(weightFormats, activationTypes, coverage)
            + expertCases(weightTypes, weightFormats, activationTypes, coverage) + adapterCases(weightTypes, coverage)
    }

    /// Sequences of random tokens.
    static func sequences(_ lengths: [Int], seed: UInt64) -> [ConformanceCase.Sequence] {
        var random = SplitMix64(seed: seed &+ 77)
        return lengths.map { length in
            ConformanceCase.Sequence(
                tokens: (0..<length).map { _ in
                    Int32.random(in: 0..<Int32(PlanSketch.vocabularySize), using: &random)
                })
        }
    }

    /// A case over a plan without a cache: `rowCount` rows in a few sequences.
    static func rowCase(
        _ name: String, rowCount: Int, tolerance: Double, seed: UInt64, _ build: (inout PlanSketch) -> ValueID
    ) -> ConformanceCase {
        var sketch = PlanSketch(seed: seed)
        let result = build(&sketch)
        let lengths = rowCount < 3 ? [rowCount] : [rowCount / 3, rowCount - rowCount / 3]
        return ConformanceCase(
            name: "\(name), \(rowCount) rows", tolerance: tolerance, plan: sketch.finished(result),
            sequences: sequences(lengths, seed: seed), cacheType: .f32, blockSize: 16)
    }
}
