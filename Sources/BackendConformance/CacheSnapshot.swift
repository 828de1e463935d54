import Backends
import Tensors

/// The bytes of a cache at one moment.
struct CacheSnapshot {
    private let layers: [[[UInt8]]]
    private let slotByteCounts: [Int]

    init(_ cache: KVCacheMemory, plan: ForwardPlan) throws(BackendError) {
        layers = try cache.layers.map { layer throws(BackendError) in
            [try Self.bytes(layer.keys), try Self.bytes(layer.values)]
        }
        slotByteCounts = plan.cacheLayers.map { cache.type.tokenByteCount(of: $0) }
    }

    private static func bytes(_ range: MemoryRange) throws(BackendError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.byteCount)
        try bytes.withUnsafeMutableBufferPointer { target throws(BackendError) in
            try range.buffer.read(into: UnsafeMutableRawBufferPointer(target), at: range.byteOffset)
        }
        return bytes
    }

    /// The changes outside of the slots `allowed`, in words.
    func strayWrites(in cache: KVCacheMemory, allowed: [Int32]) throws(BackendError) -> [String] {
        var failures: [String] = []
        for (layer, ranges) in layers.enumerated() {
            let size = slotByteCounts[layer]
            for (index, range) in [cache.layers[layer].keys, cache.layers[layer].values].enumerated() {
                let now = try Self.bytes(range)
                var expected = ranges[index]
                for slot in allowed {
                    let bytes = Int(slot) * size..<(Int(slot) + 1) * size
                    expected.replaceSubrange(bytes, with: now[bytes])
                }
                if expected != now {
                    failures.append(
                        "layer \(layer): \(index == 0 ? "keys" : "values") changed outside the batch's slots")
                }
            }
        }
        return failures
    }
}
