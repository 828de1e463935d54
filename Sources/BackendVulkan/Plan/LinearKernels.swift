import Backends
import Tensors

/// The kernels of linear operations, by how weights and activations are stored.
struct LinearKernels {
    let library: KernelLibrary
    let shapes: KernelShapes

    /// A kernel for each number of rows. `quantized`: what packed weights are multiplied with; nil for floats.
    func choices(
        for format: DeviceMatrix.Format, inputSize: Int, outputSize: Int, _ quantized: QuantizedActivations?
    ) throws(BackendError) -> [KernelChoice] {
        let (few, many, rowCounts): (KernelKind, KernelKind, [Int]) =
            switch (format, quantized) {
            case (.dense(let type), _):
                (.linearFewRows, type.byteCount == 2 ? .linearManyRowsHalf : .linearManyRows, shapes.linearRows)
            case (.packed, nil): (.packedFewRows, .packedManyRows, shapes.packedRows)
            case (.packed, _): (.packedDotFewRows, .packedDotManyRows, shapes.packedRows)
            }
        // Input, biases, output, and weights in one buffer or in two.
        var (stored, bindingCount) =
            switch format {
            case .dense(let type): (KernelShapes.weightConstants(type), 4)
            case .packed(let format): (format.constants, 5)
            }
        // Floats have no padding of their own behind a row, as quantized activations have.
        if few == .packedFewRows { stored["ENDS_IN_SLICE"] = inputSize % QuantizedFormat.slice == 0 ? 0 : 1 }
        let cut = shapes.columns(inputSize: inputSize, outputSize: outputSize, limbCount: quantized?.count)
        var choices: [KernelChoice] = []
        func append(_ kind: KernelKind, rows: Int, maxRowCount: Int) throws(BackendError) {
            var constants = stored.merging(quantized?.constants ?? [:]) { $1 }
            constants["ROWS"] = rows
            constants["SPLITS"] = cut.splits
            constants["COLUMNS"] = cut.columns
            constants["PART_ROWS"] = shapes.partRows(rows, of: cut)
            constants["SUBGROUP"] = shapes.subgroupSize
            let pipeline = try library.pipeline(kind, constants: constants, bindingCount: bindingCount)
            choices.append(
                KernelChoice(
                    maxRowCount: maxRowCount, rowsPerGroup: pipeline.variant.rowsPerGroup ?? rows, pipeline: pipeline))
        }
        for rows in rowCounts { try append(few, rows: rows, maxRowCount: rows) }
        try append(many, rows: rowCounts.last ?? 1, maxRowCount: .max)
        return choices
    }

    /// What makes quantized activations of a row: a kernel for nothing else, or the last part of one that makes the numbers.
    enum Quantizer {
        case conversion, gated
        case addNorm(width: Int)
        case attentionReduce(headSize: Int)
    }

    /// The kernel with which `maker` makes `quantized`, into its last binding.
    func making(_ quantized: QuantizedActivations, by maker: Quantizer) throws(BackendError) -> [KernelChoice] {
        let (kind, bindingCount, constants): (KernelKind, Int, [String: Int]) =
            switch maker {
            case .conversion: (.digits, 2, ["GROUP": QuantizedActivations.group])
            case .gated: (.gatedDigits, 3, ["GROUP": QuantizedActivations.group])
            case .addNorm(let width): (.addNormDigits, 5, shapes.normConstants(width: width))
            case .attentionReduce(let headSize):
                (.attentionReduceDigits, 3, KernelShapes.reduceConstants(headSize: headSize))
            }
        let pipeline = try library.pipeline(
            kind, constants: constants.merging(quantized.constants(madeInto: bindingCount - 1)) { $1 },
            bindingCount: bindingCount)
        return [KernelChoice(maxRowCount: .max, rowsPerGroup: 1, pipeline: pipeline)]
    }

    /// `wanted` where the device has kernels for it with every packed matrix of `plan`, whose steps are `steps`; else nil, and
    /// a report of why.
    func limbCount(_ wanted: Int?, for plan: ForwardPlan, _ steps: [FusedOperation]) throws(BackendError) -> Int? {
        guard let wanted else { return nil }
        do {
            var made: Set<QuantizedActivations> = []
            for case .linear(_, let parts) in steps {
                let weights = parts.map { plan[$0.weights].weights }
                guard case .quantized(let matrix) = weights[0] else { continue }
                let format = try QuantizedFormat(matrix.layout, inputSize: matrix.inputSize)
                let quantized = QuantizedActivations(count: wanted, for: format)
                made.insert(quantized)
                _ = try choices(
                    for: .packed(format), inputSize: matrix.inputSize, outputSize: DeviceMatrix.rowCount(weights),
                    quantized)
            }
            for quantized in made {
                _ = try making(quantized, by: .conversion)
                _ = try making(quantized, by: .gated)
                for operation in plan.operations {
                    switch operation {
                    case .add(_, _, let sum): _ = try making(quantized, by: .addNorm(width: plan[sum].width))
                    case .pagedAttention(let layer, _, _, _):
                        let headSize = plan.cacheLayers[layer].headSize
                        guard QuantizedActivations.areMade(ofHeads: headSize) else { continue }
                        _ = try making(quantized, by: .attentionReduce(headSize: headSize))
                    default: continue
                    }
                }
            }
            return wanted
        } catch {
            guard case .kernel(_, let reason) = error else { throw error }
            library.report("activations stay f32: \(reason)")
            return nil
        }
    }
}
