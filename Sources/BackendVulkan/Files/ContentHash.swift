/// FNV-1a over 128 bits (Fowler, Noll and Vo; draft-eastlake-fnv): names files by what they were made from.
struct ContentHash {
    private var state: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d

    /// Takes in `bytes`.
    mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            state ^= UInt128(byte)
            state = state &* 0x0000_0000_0100_0000_0000_0000_0000_013b
        }
    }

    /// Takes in `text` and where it ends.
    mutating func combine(_ text: String) {
        combine(text.utf8)
        combine(CollectionOfOne(0xFF))
    }

    /// 32 hexadecimal digits.
    var text: String {
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
}
