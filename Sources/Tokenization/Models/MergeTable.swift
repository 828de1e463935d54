/// The rank and the resulting token of each pair of tokens that can merge: an open-addressed hash table.
struct MergeTable: Sendable {
    private var keys: [UInt64]
    private var values: [UInt64]
    private let shift: UInt64
    private static let empty = UInt64.max

    /// The merge of a pair of tokens.
    struct Merge: Equatable {
        /// Rank in the upper half, token in the lower.
        fileprivate let bits: UInt64
        /// No merge: a rank above all others.
        static let none = Merge(bits: UInt64.max)

        /// The index of the merge in the vocabulary's list; lower ranks merge first.
        var rank: UInt32 { UInt32(truncatingIfNeeded: bits >> 32) }
        /// The token that the pair becomes.
        var token: TokenID { TokenID(truncatingIfNeeded: bits) }
        /// Whether the pair can merge.
        var exists: Bool { bits != UInt64.max }
    }

    /// An empty table with capacity for `count` merges.
    init(count: Int) {
        var bits = 4
        while (1 << bits) < count * 2 { bits += 1 }
        keys = [UInt64](repeating: Self.empty, count: 1 << bits)
        values = [UInt64](repeating: 0, count: 1 << bits)
        shift = UInt64(64 - bits)
    }

    private static func key(_ left: TokenID, _ right: TokenID) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    private func slot(_ key: UInt64) -> Int { Int((key &* 0x9E37_79B9_7F4A_7C15) >> shift) }

    /// Adds a merge, or replaces that of the same pair.
    mutating func insert(left: TokenID, right: TokenID, rank: UInt32, token: TokenID) {
        let key = Self.key(left, right)
        var slot = slot(key)
        while keys[slot] != Self.empty, keys[slot] != key { slot = (slot + 1) & (keys.count - 1) }
        keys[slot] = key
        values[slot] = UInt64(rank) << 32 | UInt64(UInt32(bitPattern: token))
    }

    /// The merge of `left` followed by `right`.
    func merge(_ left: TokenID, _ right: TokenID) -> Merge {
        let key = Self.key(left, right)
        var slot = slot(key)
        while true {
            let found = keys[slot]
            if found == key { return Merge(bits: values[slot]) }
            if found == Self.empty { return .none }
            slot = (slot + 1) & (keys.count - 1)
        }
    }
}

/// A binary heap of merges, ordered by rank and then by position.
struct MergeHeap {
    /// Rank in the upper half, position in the lower.
    private var entries: [UInt64] = []

    init() {}

    /// Removes all entries and keeps the memory.
    mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

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

    /// Removes and returns the lowest entry; `nil`: the heap is empty.
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
