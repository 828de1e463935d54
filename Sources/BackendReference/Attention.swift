import Backends
import CLibrary
import SharedValues
import Tensors

extension ReferencePlan {
    private var attachedCache: KVCacheMemory {
        guard let cache else { preconditionFailure("attach a cache before submit") }
        return cache
    }

    /// Stores each row's key and value at the row's slot, rounded to the cache's type.
    func writeKV(layer: Int, key: ValueID, value: ValueID, _ batch: borrowing ForwardBatch) {
        let cache = attachedCache
        let place = cache.layout.layers[layer]
        let ranges = cache.physicalLayers[place.physicalLayer]
        let headSize = place.shape.headSize
        for (range, source) in [(ranges.keys, key), (ranges.values, value)] {
            guard let target = range.hostPointer else { preconditionFailure("the cache is not on the host") }
            for token in 0..<batch.tokenCount {
                let row = values[source.index].row(token)
                let slot = Int(batch.groups[place.group].slots[token])
                for head in 0..<place.shape.keyValueHeadCount {
                    let cached = CachedHead(target, slot: slot, head: head, of: place, as: cache.type)
                    cached.store(row[head * headSize..<(head + 1) * headSize])
                }
            }
        }
    }

    /// `softmax(query · keysᵀ * scale) · values` for each head of each row.
    func pagedAttention(
        layer: Int, query: ValueID, attention: AttentionShape, output: ValueID, _ batch: borrowing ForwardBatch
    ) {
        let place = attachedCache.layout.layers[layer]
        let group = attention.queryHeadCount / place.shape.keyValueHeadCount
        for sequence in 0..<batch.sequenceCount {
            for token in Int(batch.queryStarts[sequence])..<Int(batch.queryStarts[sequence + 1]) {
                let position = Int(batch.positions[token])
                let first = attention.slidingWindow.map { max(0, position - $0 + 1) } ?? 0
                let slots = (first...position).map { slot(of: $0, sequence: sequence, batch.groups[place.group]) }
                for head in 0..<attention.queryHeadCount {
                    attend(
                        row: token, head: head, keyValueHead: head / group, slots: slots, layer: place,
                        query: query, attention: attention, output: output)
                }
            }
        }
    }

    /// The slot of a position of a sequence, through its block table.
    private func slot(of position: Int, sequence: Int, _ group: ForwardBatch.Group) -> Int {
        let blockSize = group.cacheGroup.blockSize
        let block = group.blockTables[Int(group.blockTableStarts[sequence]) + position / blockSize]
        return Int(block) * blockSize + position % blockSize
    }

    /// One head of one row over the cached numbers at `slots`.
    private func attend(
        row: Int, head: Int, keyValueHead: Int, slots: [Int], layer: CacheLayout.Layer, query: ValueID,
        attention: AttentionShape, output: ValueID
    ) {
        let cache = attachedCache
        let headSize = layer.shape.headSize
        let ranges = cache.physicalLayers[layer.physicalLayer]
        guard let keys = ranges.keys.hostPointer, let stored = ranges.values.hostPointer
        else { preconditionFailure("the cache is not on the host") }
        let source = values[query.index].row(row)
        let target = values[output.index].row(row)

        var scores = [Double](repeating: 0, count: slots.count)
        for (index, slot) in slots.enumerated() {
            let key = CachedHead(keys, slot: slot, head: keyValueHead, of: layer, as: cache.type)
            var sum = 0.0
            for number in 0..<headSize { sum += Double(source[head * headSize + number]) * Double(key[number]) }
            sum *= Double(attention.scale)
            if let cap = attention.softCap { sum = Double(cap) * tanh(sum / Double(cap)) }
            scores[index] = sum
        }
        let sink = attention.sinks.map { Double(plan[$0].elements[head]) }
        let largest = max(scores.max() ?? 0, sink ?? -.infinity)
        for index in scores.indices { scores[index] = exp(scores[index] - largest) }
        let total = scores.reduce(sink.map { exp($0 - largest) } ?? 0, +)
        let cached = slots.map { CachedHead(stored, slot: $0, head: keyValueHead, of: layer, as: cache.type) }
        for number in 0..<headSize {
            var sum = 0.0
            for (index, value) in cached.enumerated() { sum += scores[index] * Double(value[number]) }
            target[head * headSize + number] = Float(sum / total)
        }
    }
}
