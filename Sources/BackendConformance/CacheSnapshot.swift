import Backends

/// The bytes of a cache at one moment.
struct CacheSnapshot {
    /// Keys and values of each physical layer.
    private let ranges: [[UInt8]]

    init(_ cache: KVCacheMemory) throws(BackendError) {
        var ranges: [[UInt8]] = []
        for layer in cache.physicalLayers {
            ranges.append(try Self.bytes(layer.keys))
            ranges.append(try Self.bytes(layer.values))
        }
        self.ranges = ranges
    }

    private static func bytes(_ range: MemoryRange) throws(BackendError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.byteCount)
        try bytes.withUnsafeMutableBufferPointer { target throws(BackendError) in
            try range.buffer.read(into: UnsafeMutableRawBufferPointer(target), at: range.byteOffset)
        }
        return bytes
    }

    /// The changes outside of the slots of `batch`, in words.
    func strayWrites(in cache: KVCacheMemory, of batch: ForwardBatch) throws(BackendError) -> [String] {
        let now = try CacheSnapshot(cache).ranges
        var expected = ranges
        for layer in cache.layout.layers {
            for slot in batch.groups[layer.group].slots {
                let start = layer.byteOffset(ofSlot: Int(slot))
                let bytes = start..<start + layer.tokenByteCount
                for range in [2 * layer.physicalLayer, 2 * layer.physicalLayer + 1] {
                    expected[range].replaceSubrange(bytes, with: now[range][bytes])
                }
            }
        }
        return now.indices.filter { now[$0] != expected[$0] }.map {
            "physical layer \($0 / 2): \($0 % 2 == 0 ? "keys" : "values") changed outside the batch's slots"
        }
    }
}
