/// Token ids by the bytes of their texts: an open-addressed hash table over one array of bytes.
///
/// A dictionary would need an array of its own for each text, and a new array for each lookup.
struct ByteStringIndex: Sendable {
    private var bytes: [UInt8] = []
    /// The entries in the order of insertion: where the bytes are, and the id.
    private var entries: [Entry] = []
    /// The upper half of the hash and the index of the entry plus one; 0: the slot is free.
    private var slots: [UInt64]

    private struct Entry {
        var start: Int
        var count: Int
        var id: TokenID
    }

    /// An empty index.
    init() { slots = [UInt64](repeating: 0, count: 16) }

    /// The number of texts.
    var count: Int { entries.count }

    func id(of text: String) -> TokenID? {
        var text = text
        return text.withUTF8 { id(of: $0) }
    }

    func id(of text: [UInt8]) -> TokenID? { text.withUnsafeBufferPointer { id(of: $0) } }

    func id(of text: UnsafeBufferPointer<UInt8>) -> TokenID? {
        let entry = slots[slot(of: text, Self.hash(text))] & 0xFFFF_FFFF
        return entry == 0 ? nil : entries[Int(entry) - 1].id
    }

    /// Sets the id of `text`.
    mutating func set(_ text: UnsafeBufferPointer<UInt8>, id: TokenID) {
        let hash = Self.hash(text)
        let slot = slot(of: text, hash)
        if slots[slot] != 0 {
            entries[Int(slots[slot] & 0xFFFF_FFFF) - 1].id = id
            return
        }
        entries.append(Entry(start: bytes.count, count: text.count, id: id))
        bytes.append(contentsOf: text)
        slots[slot] = hash & ~0xFFFF_FFFF | UInt64(entries.count)
        if entries.count * 2 > slots.count { grow() }
    }

    /// Sets the id of `text`.
    mutating func set(_ text: String, id: TokenID) {
        var text = text
        text.withUTF8 { set($0, id: id) }
    }

    /// Calls `body` with each text and its id, in the order of insertion.
    func forEach(_ body: (UnsafeBufferPointer<UInt8>, TokenID) -> Void) {
        bytes.withUnsafeBufferPointer { bytes in
            for entry in entries {
                body(UnsafeBufferPointer(rebasing: bytes[entry.start..<entry.start + entry.count]), entry.id)
            }
        }
    }

    private mutating func grow() {
        slots = [UInt64](repeating: 0, count: slots.count * 2)
        bytes.withUnsafeBufferPointer { bytes in
            for (index, entry) in entries.enumerated() {
                let hash = Self.hash(UnsafeBufferPointer(rebasing: bytes[entry.start..<entry.start + entry.count]))
                var slot = Int(truncatingIfNeeded: hash >> 32) & (slots.count - 1)
                while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
                slots[slot] = hash & ~0xFFFF_FFFF | UInt64(index + 1)
            }
        }
    }

    /// The slot of `text`, or the free slot for it.
    private func slot(of text: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int {
        var slot = Int(truncatingIfNeeded: hash >> 32) & (slots.count - 1)
        while slots[slot] != 0 {
            if slots[slot] >> 32 == hash >> 32, isEqual(Int(slots[slot] & 0xFFFF_FFFF) - 1, text) { return slot }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private func isEqual(_ index: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let entry = entries[index]
        guard entry.count == text.count else { return false }
        return bytes.withUnsafeBufferPointer { bytes in
            for offset in 0..<entry.count where bytes[entry.start + offset] != text[offset] { return false }
            return true
        }
    }

    /// A hash of 64 bits; eight bytes at a time are mixed by a multiplication.
    static func hash(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        func mixed(_ value: UInt64) -> UInt64 {
            let (high, low) = value.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
            return high ^ low
        }
        let raw = UnsafeRawBufferPointer(text)
        var hash = UInt64(text.count) &+ 0x2545_F491_4F6C_DD1D
        var offset = 0
        while offset + 8 <= raw.count {
            hash = mixed(hash ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < raw.count {
            rest = rest << 8 | UInt64(raw[offset])
            offset += 1
        }
        return mixed(mixed(hash ^ rest))
    }
}
