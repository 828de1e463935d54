/// Finds the block that already holds given tokens after a given prefix.
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

        /// All tokens at once: an element at a time takes several times as long.
        func hash(into hasher: inout Hasher) {
            hasher.combine(parent)
            hasher.combine(salt)
            tokens.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
    }

    private struct Entry: Sendable {
        let block: BlockID
        let chain: Chain
    }

    private var entries: [Key: Entry] = [:]
    private var keys: [BlockID: Key] = [:]
    private var lastSerial: UInt64 = 0

    var count: Int { entries.count }

    /// The block that holds `tokens` after `parent`, and the chain it makes.
    func find(_ tokens: ArraySlice<Int32>, after parent: Chain, salt: String?) -> (block: BlockID, chain: Chain)? {
        let key = Key(parent: parent, salt: parent == .root ? salt : nil, tokens: tokens)
        return entries[key].map { ($0.block, $0.chain) }
    }

    /// Remembers that `block` holds `tokens` after `parent`. Where another block already does, that one stays.
    mutating func register(_ block: BlockID, _ tokens: ArraySlice<Int32>, after parent: Chain, salt: String?) -> Chain {
        let salt = parent == .root ? salt : nil
        // A copy, so that the key does not keep the whole sequence alive.
        let key = Key(parent: parent, salt: salt, tokens: ArraySlice(Array(tokens)))
        if let entry = entries[key] { return entry.chain }
        lastSerial += 1
        let entry = Entry(block: block, chain: Chain(serial: lastSerial))
        entries[key] = entry
        keys[block] = key
        return entry.chain
    }

    /// Forgets `block`, which is about to hold something else.
    mutating func forget(_ block: BlockID) {
        guard let key = keys.removeValue(forKey: block) else { return }
        entries[key] = nil
    }

    mutating func forgetAll() {
        entries.removeAll()
        keys.removeAll()
    }

    func checkInvariants() -> String? {
        if entries.count != keys.count { return "\(entries.count) cached prefixes but \(keys.count) cached blocks" }
        for (block, key) in keys where entries[key]?.block != block {
            return "cached block \(block) is not found by its key"
        }
        return nil
    }
}
