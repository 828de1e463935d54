import Backends
import Lowering
import SharedValues
import Tensors

/// `output[t] = input[t]` as quantized activations (`quantize.comp`).
struct QuantizeKernel: Kernel {
    enum Binding: KernelBinding { case input, output }

    struct Parameters: KernelParameters {
        var width: UInt32
        /// In `vec4`.
        var input: RowLayout
        /// In words.
        var output: RowLayout
    }

    static let operations = [
        KernelOperation("quantize", parts: QuantizedActivations.parts + [PackageResources.quantize_comp])
    ]

    let quantized: QuantizedActivations

    var definitions: ShaderDefinitions { quantized.definitions + ["GROUP": QuantizedActivations.group] }

    /// Two rows of three slices, the last not full: the numbers that the integers stand for, and the sums beside them.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let (width, stride) = (84, 88)
        var source = SelfTestCase.numbers(2 * width, seed: 44)
        // A slice of zeros, and one with a number above the others.
        for index in 32..<64 { source[index] = 0 }
        source[width + 5] = 3
        let rows = QuantizedTestRows(quantized, source, width: width)
        let largest = Double(quantized.largestInteger)
        let read = { @Sendable [quantized] (words: [UInt32]) in
            QuantizedTestRows.read(words, quantized, width: width) + QuantizedTestRows.sums(words, quantized)
        }
        return SelfTestCase(
            Self.self,
            bindings: [
                .input: SelfTestCase.bits(SelfTestCase.padded(source, width: width, stride: stride)),
                .output: SelfTestCase.unwritten(rows.words.count),
            ],
            parameters: Parameters(
                width: UInt32(width), input: RowLayout(stride: UInt32(stride / 4)),
                output: RowLayout(stride: UInt32(rows.stride))),
            rowCount: 2, output: .output, expected: read(rows.words).map { Double($0) },
            // A quotient near the middle between two integers may become either.
            tolerance: 1e-13 + 0.5 / (largest * largest), read: read)
    }
}

extension QuantizedActivations {
    /// What kernels that read or write them are compiled for (`quantized_activations.glsl`).
    var definitions: ShaderDefinitions { ["LIMBS": count, "INTERLEAVE": interleave] }

    /// The largest integer of a slice.
    var largestInteger: Int { 127 << (7 * (count - 1)) }

    /// What a kernel is built on that writes them.
    static let parts = [PackageResources.quantized_activations_glsl, PackageResources.quantize_glsl]
}

extension ProgramBuilder {
    /// `input` as the integers that quantized matrices are multiplied with, each of `partCount` parts of a row by itself.
    mutating func quantize(
        _ input: ValueID, partCount: Int = 1, _ quantized: QuantizedActivations, _ output: ValueID,
        of rows: DispatchRows? = nil
    ) throws(BackendError) {
        let (source, target) = (rowLayout(of: input), rowLayout(of: output))
        let width = plan[input].width / partCount
        guard source.stride % 4 == 0, source.offset % 4 == 0, partCount == 1 || width % 4 == 0 else {
            throw .unsupported(operation: "linear", reason: "it reads rows of \(width) numbers that are not padded")
        }
        let partWidth = quantized.width(inputSize: width)
        var dispatches: [Dispatch] = []
        for part in 0..<partCount {
            dispatches.append(
                Dispatch(
                    QuantizeKernel.self, try kernels(for: QuantizeKernel(quantized: quantized)),
                    bindings: [.input: memory.range(input), .output: memory.range(output)],
                    parameters: .init(
                        width: UInt32(width),
                        input: RowLayout(
                            stride: source.stride / 4, offset: (source.offset + UInt32(part * width)) / 4),
                        output: RowLayout(stride: target.stride, offset: target.offset + UInt32(part * partWidth))),
                    rows: rows ?? DispatchRows(plan[output].rows),
                    groupCount: width.dividedUp(by: QuantizedActivations.numbersPerGroup), label: "quantize \(width)",
                    bytesPerRow: (width + partWidth) * 4, workPerRow: 4 * width))
        }
        append(dispatches, reading: [memory.range(input)], writing: [memory.range(output)])
    }
}

extension LinearKernels {
    /// `requested` where the device has every kernel that quantized activations take in `plan`, whose fused operations are
    /// `operations`; else nil, and a report of why.
    func limbCount(
        _ requested: Int?, for plan: ForwardPlan, _ operations: [FusedOperation], _ limits: BatchLimits
    ) throws(BackendError) -> Int? {
        guard let requested else { return nil }
        do {
            var used: Set<QuantizedActivations> = []
            for case .linear(_, let parts) in operations {
                let weights = parts.map { plan[$0.weights].weights }
                guard case .quantized(let matrix) = weights[0] else { continue }
                let format = try QuantizedFormat(matrix.layout, inputSize: matrix.inputSize)
                guard let quantized = QuantizedActivations(count: requested, for: format) else { continue }
                used.insert(quantized)
                _ = try kernels(
                    for: .quantized(format), inputSize: matrix.inputSize, outputSize: DeviceMatrix.rowCount(weights),
                    quantized)
            }
            for case .selectedLinear(_, let set, _, .routes(let routes), let output) in operations {
                guard case .quantized(let matrix) = plan[set].matrices[0] else { continue }
                let format = try QuantizedFormat(matrix.layout, inputSize: matrix.inputSize)
                guard let quantized = QuantizedActivations(count: requested, for: format) else { continue }
                used.insert(quantized)
                _ = try selectedKernels(
                    for: .quantized(format), inputSize: matrix.inputSize, outputSize: matrix.outputSize, quantized,
                    RowGrouping(matrixCount: plan[set].count, choiceCount: plan[routes].width / 2),
                    maxRowCount: limits.maxRowCount(plan[output].rows))
            }
            for quantized in used {
                _ = try library.pipeline(QuantizeKernel(quantized: quantized))
                for operation in plan.operations {
                    switch operation {
                    case .gatedActivation(_, _, let activation, _):
                        _ = try library.pipeline(GatedKernel(activation: activation, quantized: quantized))
                    case .add(_, _, let sum):
                        let tiling = shapes.addNormTiling(width: plan[sum].width)
                        _ = try library.pipeline(AddNormKernel(tiling: tiling, quantized: quantized))
                    case .pagedAttention(let layer, _, _, _):
                        let headSize = plan.cacheLayers[layer].headSize
                        guard QuantizedActivations.areMade(ofHeads: headSize) else { continue }
                        _ = try library.pipeline(AttentionReduceKernel(headSize: headSize, quantized: quantized))
                    default: continue
                    }
                }
            }
            return requested
        } catch {
            guard case .kernel(_, let reason) = error else { throw error }
            library.onFallback("activations stay f32: \(reason)")
            return nil
        }
    }
}
