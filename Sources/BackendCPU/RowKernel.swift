import Backends
import CPUKernels
import Tensors

import CLibrary

/// A row operation with everything but the rows filled in. Plain data, so that no reference is counted when it runs.
enum RowKernel {
    typealias Rows = UnsafeMutablePointer<Float>

    case embed(Embed)
    case norm(Norm)
    case layerNorm(LayerNorm)
    case addNorm(AddNorm)
    case rotary(Rotary)
    case writeHeads(WriteHeads)
    case gated(Gated)
    case activation(quire_activation, quire_xielu, input: Rows, output: Rows, width: Int)
    case scale(input: Rows, output: Rows, width: Int, factor: Float)
    case positionScale(input: Rows, output: Rows, width: Int, scale: PositionScale)
    /// `input` is the first column that is copied, in rows `stride` numbers apart.
    case slice(input: Rows, stride: Int, output: Rows, width: Int)
    case concatHeads(ConcatHeads)
    case add(left: Rows, right: Rows, output: Rows, width: Int)
    case gather(input: Rows, output: Rows, width: Int)
    case softCap(input: Rows, output: Rows, width: Int, cap: Float)
    case reorder(Reorder)
    /// Each of `partCount` parts of a row, `width` numbers, is a row of the output.
    case roundToBF16(input: Rows, output: UnsafeMutableRawPointer, width: Int, partCount: Int)
    case quantize(Quantize)
    case route(Route)
    case weightedSum(input: Rows, routes: Rows, choiceCount: Int, output: Rows, width: Int)

    struct Embed {
        let layout: PrepackedMatrix.Layout
        let table: UnsafeRawPointer
        /// Rows of the table.
        let rowCount: Int
        let index: EmbeddingIndex
        let scale: Float
        let output: Rows
        let width: Int
    }

    struct Reorder {
        let input: Rows
        let output: UnsafeMutableRawPointer
        let width: Int
        let order: UnsafePointer<Int32>
        /// The type of the result. Rows of bf16 have an even number of elements.
        let type: ElementType
    }

    struct Quantize {
        let kernel: quire_quantize_fn
        let input: Rows
        let output: UnsafeMutableRawPointer
        /// Numbers of a part.
        let width: Int
        /// Parts of a row, each of which is a row of the output.
        let partCount: Int
        /// `output[i] = input[order[i]]`; nil: in order.
        let order: UnsafePointer<Int32>?
        /// Records of a part, and their bytes.
        let stride: Int
        let byteStride: Int
    }

    struct Route {
        let routing: ExpertRouting
        let logits: Rows
        let bias: UnsafePointer<Float>?
        let factors: UnsafePointer<Float>?
        let output: Rows
        /// Room for `routing.scratchCount` numbers for each thread.
        let scratch: UnsafeMutablePointer<Double>
    }

    struct ConcatHeads {
        /// Columns of each head in rows `rowStride` numbers apart. `input` is the first column of head 0.
        struct Part {
            let input: Rows
            let rowStride: Int
            let headStride: Int
            let width: Int
        }

        let first: Part
        let second: Part?
        let output: Rows
        let headCount: Int
        let headSize: Int
    }

    struct Norm {
        let input: Rows
        let output: Rows
        let width: Int
        let groupSize: Int
        let weight: UnsafePointer<Float>
        let epsilon: Float
    }

    struct LayerNorm {
        let input: Rows
        let output: Rows
        let width: Int
        let groupSize: Int
        /// Nil: factors of 1.
        let weight: UnsafePointer<Float>?
        let weightStride: Int
        /// Nil: nothing is added.
        let bias: UnsafePointer<Float>?
        let biasStride: Int
        let epsilon: Float
    }

    struct AddNorm {
        let left: Rows
        let right: Rows
        let sum: Rows
        let output: Rows
        let width: Int
        let weight: UnsafePointer<Float>
        let epsilon: Float
    }

    struct Rotary {
        let input: Rows
        let output: Rows
        let width: Int
        let headSize: Int
        let pairCount: Int
        let pairing: quire_pairing
        let angles: RotaryAngles
    }

    struct WriteHeads {
        let layer: Int
        let isKeys: Bool
        let input: Rows
        let width: Int
        let headSize: Int
    }

    struct Gated {
        enum Function {
            /// `f(gate) * up`.
            case product(quire_activation)
            case clampedSwiGLU(alpha: Float, limit: Float)
        }

        let function: Function
        let gate: Rows
        let up: Rows
        let output: Rows
        let width: Int
    }
}

extension RowKernel {
    /// Computes rows `rows` on thread `thread`.
    func perform(
        rows: Range<Int>, thread: Int, batch: BatchView, cache: CacheView, kernels: UnsafePointer<quire_kernels>
    ) {
        let first = rows.lowerBound
        let count = rows.count
        switch self {
        case .embed(let it):
            switch it.index {
            case .tokens: it.perform(ids: batch.tokenIDs + first, count: count, firstRow: first, kernels: kernels)
            case .positions(let offset):
                for row in rows {
                    var id = Int32(min(Int(batch.positions[row]) + offset, it.rowCount - 1))
                    it.perform(ids: &id, count: 1, firstRow: row, kernels: kernels)
                }
            }
        case .norm(let it):
            let offset = first * it.width
            kernels.pointee.rms_norm(
                it.input + offset, it.width, it.output + offset, it.width, count, it.width / it.groupSize,
                it.groupSize, it.weight, it.epsilon)
        case .layerNorm(let it):
            let offset = first * it.width
            kernels.pointee.layer_norm(
                it.input + offset, it.width, it.output + offset, it.width, count, it.width / it.groupSize,
                it.groupSize, it.weight, it.weightStride, it.bias, it.biasStride, it.epsilon)
        case .addNorm(let it):
            let offset = first * it.width
            kernels.pointee.add_rms_norm(
                it.left + offset, it.width, it.right + offset, it.width, it.sum + offset, it.width,
                it.output + offset, it.width, count, it.width, it.weight, it.epsilon)
        case .rotary(let it):
            let offset = first * it.width
            kernels.pointee.rotary_embedding(
                it.input + offset, it.width, it.output + offset, it.width, count, it.width / it.headSize,
                it.headSize, it.pairCount * 2, it.pairing, it.angles.cosines + first * it.pairCount,
                it.angles.sines + first * it.pairCount)
        case .writeHeads(let it):
            let layer = cache.layers[it.layer]
            kernels.pointee.write_heads(
                cache.elementType, it.input + first * it.width, it.width, batch.groups[layer.group].slots + first,
                count, it.width, it.headSize, layer.blockSize, layer.blockStride,
                it.isKeys ? layer.keys : layer.values)
        case .gated(let it):
            let offset = first * it.width
            switch it.function {
            case .product(let activation):
                kernels.pointee.gated_activation(
                    activation, it.gate + offset, it.width, it.up + offset, it.width, it.output + offset, it.width,
                    count, it.width)
            case .clampedSwiGLU(let alpha, let limit):
                kernels.pointee.clamped_swiglu(
                    it.gate + offset, it.width, it.up + offset, it.width, it.output + offset, it.width, count,
                    it.width, alpha, limit)
            }
        case .activation(let activation, var numbers, let input, let output, let width):
            kernels.pointee.activation(
                activation, &numbers, input + first * width, output + first * width, count * width)
        case .scale(let input, let output, let width, let factor):
            kernels.pointee.scale(input + first * width, output + first * width, count * width, factor)
        case .positionScale(let input, let output, let width, let scale):
            for row in rows {
                let factor = scale.factor(at: Int(batch.positions[row]))
                kernels.pointee.scale(input + row * width, output + row * width, width, factor)
            }
        case .slice(let input, let stride, let output, let width):
            for row in rows { (output + row * width).update(from: input + row * stride, count: width) }
        case .concatHeads(let it):
            for row in rows { it.perform(row: row) }
        case .add(let left, let right, let output, let width):
            let offset = first * width
            kernels.pointee.add(left + offset, width, right + offset, width, output + offset, width, count, width)
        case .gather(let input, let output, let width):
            for row in rows {
                (output + row * width).update(from: input + Int(batch.sampleRows[row]) * width, count: width)
            }
        case .softCap(let input, let output, let width, let cap):
            kernels.pointee.soft_cap(input + first * width, output + first * width, count * width, cap)
        case .reorder(let it):
            let stride = it.type == .bf16 ? ActivationFormat.bf16.stride(width: it.width) : it.width
            kernels.pointee.reorder_from_f32(
                it.type.kernelType, it.input + first * it.width, it.width, it.order,
                it.output + first * stride * it.type.byteCount, stride, count, it.width)
        case .roundToBF16(let input, let output, let width, let partCount):
            let stride = ActivationFormat.bf16.stride(width: width)
            let (first, count) = (first * partCount, count * partCount)
            kernels.pointee.convert_from_f32(
                .bf16, input + first * width, width, output + first * stride * 2, stride, count, width, 1)
        case .quantize(let it):
            let (first, count) = (first * it.partCount, count * it.partCount)
            it.kernel(
                it.input + first * it.width, it.width, it.order, it.output + first * it.byteStride, it.stride, count,
                it.width)
        case .route(let it):
            for row in rows {
                it.routing.route(
                    it.logits + row * it.routing.expertCount, bias: it.bias, factors: it.factors,
                    to: it.output + row * it.routing.routeWidth,
                    scratch: it.scratch + thread * it.routing.scratchCount)
            }
        case .weightedSum(let input, let routes, let choiceCount, let output, let width):
            kernels.pointee.weighted_sum(
                routes + first * 2 * choiceCount, choiceCount, input + first * choiceCount * width,
                output + first * width, count, width)
        }
    }
}

extension RowKernel.ConcatHeads {
    fileprivate func perform(row: Int) {
        for head in 0..<headCount {
            let target = output + (row * headCount + head) * headSize
            first.copy(row: row, head: head, to: target)
            var count = first.width
            if let second {
                second.copy(row: row, head: head, to: target + count)
                count += second.width
            }
            (target + count).update(repeating: 0, count: headSize - count)
        }
    }
}

extension RowKernel.ConcatHeads.Part {
    fileprivate func copy(row: Int, head: Int, to target: RowKernel.Rows) {
        target.update(from: input + row * rowStride + head * headStride, count: width)
    }
}

extension RowKernel.Embed {
    /// Looks up rows `ids` of the table for `count` rows of the output from `firstRow` on.
    fileprivate func perform(
        ids: UnsafePointer<Int32>, count: Int, firstRow: Int, kernels: UnsafePointer<quire_kernels>
    ) {
        let output = output + firstRow * width
        switch layout {
        case .rows(let type):
            kernels.pointee.embed(type.kernelType, table, width, ids, count, width, scale, output, width)
        case .panels(let type):
            kernels.pointee.embed_panels(type.kernelType, table, ids, count, width, scale, output, width)
        case .quantized(let matrix):
            withUnsafePointer(to: matrix) {
                kernels.pointee.embed_quantized($0, table, ids, count, scale, output, width)
            }
        }
    }
}

/// Cosines and sines of one rotation for the rows of a batch, `[tokens, pairs]` each.
struct RotaryAngles {
    let pairCount: Int
    let frequencies: UnsafePointer<Float>
    let magnitude: Float
    let cosines: UnsafeMutablePointer<Float>
    let sines: UnsafeMutablePointer<Float>

    /// Computes the rows `rows`. The angle is rounded to 32 bits, as in transformers' code.
    func compute(rows: Range<Int>, positions: UnsafePointer<Int32>) {
        for row in rows {
            for pair in 0..<pairCount {
                let angle = Double(Float(positions[row]) * frequencies[pair])
                cosines[row * pairCount + pair] = Float(cos(angle)) * magnitude
                sines[row * pairCount + pair] = Float(sin(angle)) * magnitude
            }
        }
    }
}
