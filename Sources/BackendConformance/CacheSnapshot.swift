import Backends
import Tensors

/// The bytes of a cache at one moment, where the host can see them.
struct CacheSnapshot {
    private let layers: [[[UInt8]]]
    private let slotByteCounts: [Int]

    init(_ cache: KVCacheMemory, plan: ForwardPlan) {
        layers = cache.layers.map { [Self.bytes($0.keys), Self.bytes($0.values)] }
        slotByteCounts = plan.cacheLayers.map { $0.width * cache.elementType.byteCount }
    }

    private static func bytes(_ range: MemoryRange) -> [UInt8] {
        guard let start = range.hostPointer else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: range.byteCount))
    }

    /// What changed outside of the slots `allowed`.
    func strayWrites(in cache: KVCacheMemory, allowed: [Int32]) -> [String] {
        var found: [String] = []
        for (layer, ranges) in layers.enumerated() {
            let size = slotByteCounts[layer]
            for (index, range) in [cache.layers[layer].keys, cache.layers[layer].values].enumerated() {
                let now = Self.bytes(range)
                var expected = ranges[index]
                guard !now.isEmpty else { continue }
                for slot in allowed {
                    let place = Int(slot) * size..<(Int(slot) + 1) * size
                    expected.replaceSubrange(place, with: now[place])
                }
                if expected != now {
                    found.append("layer \(layer): \(index == 0 ? "keys" : "values") changed outside the batch's slots")
                }
            }
        }
        return found
    }
}
