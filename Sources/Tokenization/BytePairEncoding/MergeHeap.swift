/// A binary heap of merges: the lowest rank first, among equals the leftmost.
struct MergeHeap {
    /// Rank in the upper half, position in the lower.
    private var entries: [UInt64] = []

    init() {}

    /// Forgets all entries, not their memory.
    mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    /// Adds an entry.
    mutating func push(rank: UInt32, position: Int) {
        let entry = UInt64(rank) << 32 | UInt64(UInt32(truncatingIfNeeded: position))
        var index = entries.count
        entries.append(entry)
        while index > 0 {
            let parent = (index - 1) / 2
            if entries[parent] <= entry { break }
            entries[index] = entries[parent]
            index = parent
        }
        entries[index] = entry
    }

    /// Takes the lowest entry out; `nil`: there is none.
    mutating func popMinimum() -> (rank: UInt32, position: Int)? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        if !entries.isEmpty {
            var index = 0
            while true {
                var child = 2 * index + 1
                guard child < entries.count else { break }
                if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
                if entries[child] >= last { break }
                entries[index] = entries[child]
                index = child
            }
            entries[index] = last
        }
        return (UInt32(truncatingIfNeeded: first >> 32), Int(UInt32(truncatingIfNeeded: first)))
    }
}
