import SharedValues

/// Finds the block that already holds given tokens after a given prefix: on the device, in the swap space, or in both.
///
/// A full block is known by its chain: the chain of the blocks before it, and its own tokens. Keys hold the tokens
/// themselves, so a hit compares them and equal hashes of different prefixes cannot be confused.
struct PrefixCache: Sendable {
    /// Names a registered prefix. Each registration gets a new name, so a prefix whose head was evicted is not found.
    struct Chain: Sendable, Hashable {
        let serial: UInt64
        static let root = Chain(serial: 0)
    }

    private struct Key: Sendable, Hashable {
        let parent: Chain
        /// Only on a first block: later ones are separated by their parent.
        let salt: String?
        let tokens: ArraySlice<Int32>

        /// Hashes all tokens at once: one at a time takes several times as long.
        func hash(into hasher: inout Hasher) {
            hasher.combine(parent)
            hasher.combine(salt)
            tokens.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
    }

    /// The blocks that hold the last block of a prefix; at least one of the two is not nil.
    struct Entry: Sendable {
        var block: BlockID?
        var swapped: BlockID?
        let chain: Chain
    }

    private var entries: [Key: Entry] = [:]
    private var keys: [BlockID: Key] = [:]
    private var swappedKeys: [BlockID: Key] = [:]
    private var lastSerial: UInt64 = 0

    /// Prefixes that the device holds.
    var count: Int { keys.count }
    /// Prefixes that the swap space holds.
    var swappedCount: Int { swappedKeys.count }

    /// The blocks that hold `tokens` after `parent`, and the chain that they make.
    func find(_ tokens: ArraySlice<Int32>, after parent: Chain, salt: String?) -> Entry? {
        entries[Key(parent: parent, salt: parent == .root ? salt : nil, tokens: tokens)]
    }

    /// Remembers that `block` holds `tokens` after `parent`. Where another block of the device already does, that one
    /// stays.
    mutating func register(_ block: BlockID, _ tokens: ArraySlice<Int32>, after parent: Chain, salt: String?) -> Chain {
        let salt = parent == .root ? salt : nil
        // A copy, so that the key does not keep the whole sequence alive.
        let key = Key(parent: parent, salt: salt, tokens: ArraySlice(Array(tokens)))
        if let entry = entries[key] {
            if entry.block == nil { assign(key, to: block) }
            return entry.chain
        }
        lastSerial += 1
        let chain = Chain(serial: lastSerial)
        entries[key] = Entry(block: nil, swapped: nil, chain: chain)
        assign(key, to: block)
        return chain
    }

    private mutating func assign(_ key: Key, to block: BlockID) {
        // A shared block may be known by a chain whose head was evicted, by which it is not found any more.
        forget(block)
        entries[key]?.block = block
        keys[block] = key
    }

    /// Forgets that `block` of the device holds anything.
    mutating func forget(_ block: BlockID) {
        guard let key = keys.removeValue(forKey: block) else { return }
        if entries[key]?.swapped == nil { entries[key] = nil } else { entries[key]?.block = nil }
    }

    /// Forgets that `block` of the swap space holds anything.
    mutating func forgetSwapped(_ block: BlockID) {
        guard let key = swappedKeys.removeValue(forKey: block) else { return }
        if entries[key]?.block == nil { entries[key] = nil } else { entries[key]?.swapped = nil }
    }

    /// The entry of the prefix whose last block is `block` of the device.
    func entry(of block: BlockID) -> Entry? { keys[block].flatMap { entries[$0] } }

    /// The entry of the prefix whose last block is `block` of the swap space.
    func entry(ofSwapped block: BlockID) -> Entry? { swappedKeys[block].flatMap { entries[$0] } }

    /// The content of `block` of the device is now in `swapped` as well, if it is findable.
    mutating func copied(_ block: BlockID, toSwapped swapped: BlockID) {
        guard let key = keys[block] else { return }
        entries[key]?.swapped = swapped
        swappedKeys[swapped] = key
    }

    /// The content of `swapped` is now in `block` of the device as well, if it is findable.
    mutating func copied(swapped: BlockID, to block: BlockID) {
        guard let key = swappedKeys[swapped] else { return }
        assign(key, to: block)
    }

    mutating func forgetAll() {
        entries.removeAll()
        keys.removeAll()
        swappedKeys.removeAll()
    }

    func checkInvariants() -> String? {
        for (block, key) in keys where entries[key]?.block != block { return "block \(block) is not found by its key" }
        for (block, key) in swappedKeys where entries[key]?.swapped != block {
            return "swapped block \(block) is not found by its key"
        }
        let onDevice = entries.values.count { $0.block != nil }
        let swapped = entries.values.count { $0.swapped != nil }
        if onDevice != keys.count || swapped != swappedKeys.count {
            return "\(onDevice) and \(swapped) cached prefixes but \(keys.count) and \(swappedKeys.count) cached blocks"
        }
        if entries.values.contains(where: { $0.block == nil && $0.swapped == nil }) { return "a prefix lies nowhere" }
        return nil
    }
}
