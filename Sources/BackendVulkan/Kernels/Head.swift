import Backends
import Lowering
import Tensors

/// One head of one token: its norm if it has one, its rotary embedding if it has one, and the write to a value or to the
/// KV cache (`head.comp`).
struct HeadKernel: Kernel {
    enum Binding: KernelBinding { case input, vectors, angles, positions, slots, target }

    struct Parameters: KernelParameters {
        var headSize: UInt32
        var input: RowLayout
        /// Rows of a value in numbers; tokens of a cache in numbers, or in words where heads have scales.
        var output: RowLayout
        /// The binary logarithm of the cache's block size, and from one block to the next, like `output`.
        var blockShift: UInt32
        var blockStride: UInt32
        var hasNorm: UInt32
        var weightOffset: UInt32
        var epsilon: Float
        var pairCount: UInt32
        /// 1: neighbours are a pair; 0: the halves of the head are.
        var isInterleaved: UInt32
    }

    private static let toValue = KernelOperation(
        "head_to_value",
        .reducing("head_to_value", [PackageResources.head_comp], before: [PackageResources.head_to_value_glsl]))
    private static let toCache = KernelOperation(
        "head_to_cache",
        .reducing(
            "head_to_cache", [PackageResources.head_comp],
            before: [PackageResources.numbers_glsl, PackageResources.head_to_cache_glsl]))
    static let operations = [toValue, toCache]

    /// How the cache stores heads; nil: heads go to a value.
    let cacheType: CacheType?

    var operation: KernelOperation { cacheType == nil ? Self.toValue : Self.toCache }

    var definitions: ShaderDefinitions {
        let own: ShaderDefinitions = ["GROUP": 32]
        return cacheType.map { own + $0.definitions } ?? own
    }

    /// Two heads of eight numbers for two tokens: normed, rotated as halves, to a value or to slots 1 and 0 of a cache.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let input = SelfTestCase.numbers(32, seed: 12)
        let weight = SelfTestCase.numbers(8, seed: 13)
        let angles = SelfTestCase.numbers(3 * 4 * 2, seed: 14)
        let positions = [2, 1]
        let slots = [1, 0]
        var expected = [Double](repeating: 0, count: 32)
        for token in 0..<2 {
            for head in 0..<2 {
                let start = token * 16 + head * 8
                let row = NormKernel.normed(input[start..<start + 8].map { Double($0) }, weight)
                for index in 0..<8 {
                    let angle = (positions[token] * 4 + index % 4) * 2
                    let (cosine, sine) = (Double(angles[angle]), Double(angles[angle + 1]))
                    let rotated =
                        index < 4
                        ? row[index] * cosine - row[index + 4] * sine : row[index] * cosine + row[index - 4] * sine
                    expected[(cacheType == nil ? token : slots[token]) * 16 + head * 8 + index] = rotated
                }
            }
        }
        let cache = TestCache(type: cacheType ?? .f32, headSize: 8)
        let type = cache.type
        return SelfTestCase(
            Self.self,
            bindings: [
                .input: SelfTestCase.bits(input), .vectors: SelfTestCase.bits(weight),
                .angles: SelfTestCase.bits(angles), .positions: positions.map { UInt32($0) },
                .slots: slots.map { UInt32($0) },
                .target: SelfTestCase.unwritten(4 * type.headByteCount(headSize: 8) / 4),
            ],
            parameters: Parameters(
                headSize: 8, input: RowLayout(stride: 16), output: RowLayout(stride: type == .int8 ? 6 : 16),
                blockShift: 0, blockStride: type == .int8 ? 6 : 16, hasNorm: 1, weightOffset: 0,
                epsilon: NormKernel.testEpsilon, pairCount: 4, isInterleaved: 0),
            rowCount: 2, groupCount: 2, output: .target,
            // Rounded as the cache does.
            expected: cache.numbers(cache.words(expected.map { Float($0) })).map { Double($0) },
            // A number near the middle between two of 16 bits, or of 8, may become either.
            tolerance: type == .f32 ? SelfTestCase.tolerance : type == .int8 ? 1e-4 : 1e-5,
            read: { cache.numbers($0) })
    }
}

extension CacheType {
    /// How kernels read and write the cache.
    var definitions: ShaderDefinitions {
        ["CACHE_BITS": (elementType?.byteCount ?? 1) * 8, "CACHE_IS_BFLOAT": self == .bf16 ? 1 : 0]
    }
}

extension ProgramBuilder {
    mutating func head(_ pass: HeadPass) throws(BackendError) {
        let width = plan[pass.input].width
        guard pass.headSize % 2 == 0 else {
            throw .unsupported(operation: "rotaryEmbedding", reason: "heads of \(pass.headSize) numbers; even ones are")
        }
        let kernel: HeadKernel
        let target: MemoryRange
        let layout: RowLayout
        var (blockShift, blockStride, group) = (0, 0, 0)
        var targetByteCount = width * 4
        switch pass.target {
        case .value(let output):
            (kernel, target, layout) = (HeadKernel(cacheType: nil), memory.range(output), rowLayout(of: output))
        case .keys(let layer), .values(let layer):
            let cacheLayer = cache.layout.layers[layer]
            let ranges = cache.physicalLayers[cacheLayer.physicalLayer]
            let isKeys = if case .keys = pass.target { true } else { false }
            targetByteCount = cacheLayer.tokenByteCount
            let unit = cache.type.elementType?.byteCount ?? 4
            let stride = cacheLayer.tokenByteCount / unit
            (blockShift, blockStride) = (cacheLayer.blockSize.trailingZeroBitCount, cacheLayer.blockByteCount / unit)
            group = cacheLayer.group
            (kernel, target, layout) = (
                HeadKernel(cacheType: cache.type), isKeys ? ranges.keys : ranges.values,
                RowLayout(stride: UInt32(stride))
            )
        }
        let dispatch = Dispatch(
            HeadKernel.self, try kernels(for: kernel),
            bindings: [
                .input: memory.range(pass.input), .vectors: weights.vectors,
                // Where there is no rotation, the binding needs some buffer.
                .angles: pass.rotary.map { weights.table($0) } ?? weights.vectors,
                .positions: batch.range(.positions), .slots: batch.range(.slots(group)), .target: target,
            ],
            parameters: .init(
                headSize: UInt32(pass.headSize), input: rowLayout(of: pass.input), output: layout,
                blockShift: UInt32(blockShift), blockStride: UInt32(blockStride), hasNorm: pass.norm == nil ? 0 : 1,
                weightOffset: UInt32(pass.norm.map { weights.offset(of: $0.weight) } ?? 0),
                epsilon: pass.norm?.epsilon ?? 0, pairCount: UInt32(pass.rotary?.frequencies.count ?? 0),
                isInterleaved: pass.rotary?.pairing == .interleaved ? 1 : 0),
            rows: .tokens, groupCount: width / pass.headSize,
            label: "\(pass.norm == nil ? "" : "norm, ")\(pass.rotary == nil ? "" : "rotate, ")write \(width)",
            bytesPerRow: width * 4 + targetByteCount,
            workPerRow: width * ((pass.norm == nil ? 0 : 4) + (pass.rotary == nil ? 0 : 3)))
        append([dispatch], reading: [memory.range(pass.input)], writing: [target])
    }
}
