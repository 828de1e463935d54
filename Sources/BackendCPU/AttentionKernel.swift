import Backends
import CPUKernels

/// Some consecutive queries of one sequence.
struct AttentionTile {
    let sequence: Int32
    let firstRow: Int32
    let rowCount: Int32
}

/// An attention with everything but the queries filled in. Plain data.
struct AttentionKernel {
    /// Where the output goes in another format.
    enum Converted {
        case bf16(UnsafeMutablePointer<UInt16>)
        case quantized(UnsafeMutableRawPointer, QuantizedActivations, kernel: quire_quantize_fn)
    }

    let layer: Int
    let query: UnsafePointer<Float>
    let output: UnsafeMutablePointer<Float>
    let converted: Converted?
    let keyValueHeadCount: Int
    let headSize: Int
    let group: Int
    let scale: Float
    let softCap: Float
    let slidingWindow: Int
    /// A score for each query head that has no value; nil: none.
    let sinks: UnsafePointer<Float>?

    /// Numbers in a row of queries.
    var width: Int { keyValueHeadCount * group * headSize }

    /// Computes the queries of `tile` that read key/value head `head`.
    func perform(
        tile: AttentionTile, head: Int, batch: BatchView, cache: CacheView,
        kernels: UnsafePointer<quire_kernels>, scratch: UnsafeMutablePointer<Float>
    ) {
        let row = Int(tile.firstRow)
        let rowCount = Int(tile.rowCount)
        let cacheLayer = cache.layers[layer]
        let tables = batch.groups[cacheLayer.group]
        // The table begins with the first block in the window; blocks before it are not read.
        let table = tables.blockTables + Int(tables.blockTableStarts[Int(tile.sequence)])
        var attention = quire_attention(
            keys: cacheLayer.keys, values: cacheLayer.values, cache_dtype: cache.elementType,
            block_size: cacheLayer.blockSize,
            block_stride: cacheLayer.blockStride, kv_head_count: keyValueHeadCount, head_size: headSize, group: group,
            block_table: table, scale: scale, soft_cap: softCap, sliding_window: slidingWindow, sinks: sinks)
        let columns = group * headSize
        let offset = row * width + head * columns
        kernels.pointee.paged_attention(
            &attention, head, query + offset, width, rowCount, Int(batch.positions[row]), output + offset, width,
            scratch)
        switch converted {
        case nil: break
        case .quantized(let records, let activations, let kernel):
            let stride = QuantizedActivations.recordCount(width: width)
            let first = row * stride + head * columns / QuantizedActivations.recordSize
            kernel(
                output + offset, width, nil, records + first * activations.recordByteCount, stride, rowCount, columns)
        case .bf16(let target):
            let stride = ActivationFormat.bf16.stride(width: width)
            kernels.pointee.convert_from_f32(
                .bf16, output + offset, width, target + row * stride + head * columns, stride, rowCount,
                columns, 0)
            if stride > width, head == keyValueHeadCount - 1 {
                for padded in row..<row + rowCount { target[padded * stride + width] = 0 }
            }
        }
    }
}
