/// Which pairs of tokens merge, at which rank, into which token: an open-addressed hash table.
struct MergeTable: Sendable {
    private var keys: [UInt64]
    private var values: [UInt64]
    private let shift: UInt64
    private static let empty = UInt64.max

    /// What a pair of tokens merges into. Lower ranks merge first.
    struct Merge: Equatable {
        /// Rank in the upper half, token in the lower.
        fileprivate let packed: UInt64
        /// No merge: a rank above all others.
        static let none = Merge(packed: UInt64.max)

        /// The place of the merge in the vocabulary's list; lower merges first.
        var rank: UInt32 { UInt32(truncatingIfNeeded: packed >> 32) }
        /// The token that the pair becomes.
        var token: TokenID { TokenID(truncatingIfNeeded: packed) }
        /// Whether the pair merges at all.
        var exists: Bool { packed != UInt64.max }
    }

    /// A table with room for `count` merges.
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

    /// Adds a merge; the last of two for one pair stays.
    mutating func insert(left: TokenID, right: TokenID, rank: UInt32, token: TokenID) {
        let key = Self.key(left, right)
        var slot = slot(key)
        while keys[slot] != Self.empty, keys[slot] != key { slot = (slot + 1) & (keys.count - 1) }
        keys[slot] = key
        values[slot] = UInt64(rank) << 32 | UInt64(UInt32(bitPattern: token))
    }

    /// What `left` followed by `right` merges into.
    func merge(_ left: TokenID, _ right: TokenID) -> Merge {
        let key = Self.key(left, right)
        var slot = slot(key)
        while true {
            let found = keys[slot]
            if found == key { return Merge(packed: values[slot]) }
            if found == Self.empty { return .none }
            slot = (slot + 1) & (keys.count - 1)
        }
    }
}
