/// A hash of FIPS 180-4 that works on blocks of 64 bytes.
protocol BlockHash {
    mutating func update(_ bytes: UnsafeRawBufferPointer)
    /// The digest in hexadecimal.
    mutating func finish() -> String
}

/// Collects bytes into blocks of 64, and pads the last one with the length in bits (FIPS 180-4, 5.1.1).
private struct BlockBuffer {
    private var pending: [UInt8] = []
    private var byteCount: UInt64 = 0

    /// Calls `compress` with each run of whole blocks.
    mutating func update(_ bytes: UnsafeRawBufferPointer, _ compress: (UnsafeRawBufferPointer) -> Void) {
        byteCount += UInt64(bytes.count)
        var rest = bytes[...]
        if !pending.isEmpty {
            let count = min(64 - pending.count, rest.count)
            pending += rest.prefix(count)
            rest = rest.dropFirst(count)
            guard pending.count == 64 else { return }
            pending.withUnsafeBytes(compress)
            pending.removeAll(keepingCapacity: true)
        }
        let whole = rest.count / 64 * 64
        if whole > 0 { compress(UnsafeRawBufferPointer(rebasing: rest.prefix(whole))) }
        pending += rest.dropFirst(whole)
    }

    mutating func finish(_ compress: (UnsafeRawBufferPointer) -> Void) {
        let bitCount = byteCount &* 8
        var last = pending + [0x80]
        while last.count % 64 != 56 { last.append(0) }
        for shift in stride(from: 56, through: 0, by: -8) { last.append(UInt8(truncatingIfNeeded: bitCount >> shift)) }
        last.withUnsafeBytes(compress)
    }
}

/// SHA-256 (FIPS 180-4, 6.2).
struct SHA256: BlockHash {
    private var state: [UInt32] = [
        0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
    ]
    private var buffer = BlockBuffer()

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        state.withUnsafeMutableBufferPointer { state in buffer.update(bytes) { Self.compress($0, state) } }
    }

    mutating func finish() -> String {
        state.withUnsafeMutableBufferPointer { state in buffer.finish { Self.compress($0, state) } }
        return state.hexadecimal
    }

    private static func compress(_ blocks: UnsafeRawBufferPointer, _ state: UnsafeMutableBufferPointer<UInt32>) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { words in
            constants.withUnsafeBufferPointer { constants in
                for block in stride(from: 0, to: blocks.count, by: 64) {
                    for index in 0..<16 {
                        let offset = block &+ index &* 4
                        words[index] = UInt32(bigEndian: blocks.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                    }
                    for index in 16..<64 {
                        let (early, late) = (words[index &- 15], words[index &- 2])
                        let first = early.rotated(7) ^ early.rotated(18) ^ (early &>> 3)
                        let second = late.rotated(17) ^ late.rotated(19) ^ (late &>> 10)
                        words[index] = words[index &- 16] &+ first &+ words[index &- 7] &+ second
                    }
                    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
                    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
                    for index in 0..<64 {
                        let choice = (e & f) ^ (~e & g)
                        let first =
                            h &+ (e.rotated(6) ^ e.rotated(11) ^ e.rotated(25)) &+ choice &+ constants[index]
                            &+ words[index]
                        let majority = (a & b) ^ (a & c) ^ (b & c)
                        let second = (a.rotated(2) ^ a.rotated(13) ^ a.rotated(22)) &+ majority
                        (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
                    }
                    (state[0], state[1]) = (state[0] &+ a, state[1] &+ b)
                    (state[2], state[3]) = (state[2] &+ c, state[3] &+ d)
                    (state[4], state[5]) = (state[4] &+ e, state[5] &+ f)
                    (state[6], state[7]) = (state[6] &+ g, state[7] &+ h)
                }
            }
        }
    }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static let constants: [UInt32] = [
        0x428A_2F98, 0x7137_4491, 0xB5C0_FBCF, 0xE9B5_DBA5, 0x3956_C25B, 0x59F1_11F1, 0x923F_82A4, 0xAB1C_5ED5,
        0xD807_AA98, 0x1283_5B01, 0x2431_85BE, 0x550C_7DC3, 0x72BE_5D74, 0x80DE_B1FE, 0x9BDC_06A7, 0xC19B_F174,
        0xE49B_69C1, 0xEFBE_4786, 0x0FC1_9DC6, 0x240C_A1CC, 0x2DE9_2C6F, 0x4A74_84AA, 0x5CB0_A9DC, 0x76F9_88DA,
        0x983E_5152, 0xA831_C66D, 0xB003_27C8, 0xBF59_7FC7, 0xC6E0_0BF3, 0xD5A7_9147, 0x06CA_6351, 0x1429_2967,
        0x27B7_0A85, 0x2E1B_2138, 0x4D2C_6DFC, 0x5338_0D13, 0x650A_7354, 0x766A_0ABB, 0x81C2_C92E, 0x9272_2C85,
        0xA2BF_E8A1, 0xA81A_664B, 0xC24B_8B70, 0xC76C_51A3, 0xD192_E819, 0xD699_0624, 0xF40E_3585, 0x106A_A070,
        0x19A4_C116, 0x1E37_6C08, 0x2748_774C, 0x34B0_BCB5, 0x391C_0CB3, 0x4ED8_AA4A, 0x5B9C_CA4F, 0x682E_6FF3,
        0x748F_82EE, 0x78A5_636F, 0x84C8_7814, 0x8CC7_0208, 0x90BE_FFFA, 0xA450_6CEB, 0xBEF9_A3F7, 0xC671_78F2,
    ]
}

/// SHA-1 (FIPS 180-4, 6.1): git's names of objects. It protects against accidents, not against attackers.
struct SHA1: BlockHash {
    private var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
    private var buffer = BlockBuffer()

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        state.withUnsafeMutableBufferPointer { state in buffer.update(bytes) { Self.compress($0, state) } }
    }

    mutating func finish() -> String {
        state.withUnsafeMutableBufferPointer { state in buffer.finish { Self.compress($0, state) } }
        return state.hexadecimal
    }

    private static func compress(_ blocks: UnsafeRawBufferPointer, _ state: UnsafeMutableBufferPointer<UInt32>) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { words in
            for block in stride(from: 0, to: blocks.count, by: 64) {
                for index in 0..<16 {
                    let offset = block &+ index &* 4
                    words[index] = UInt32(bigEndian: blocks.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                }
                for index in 16..<80 {
                    let mixed = words[index &- 3] ^ words[index &- 8] ^ words[index &- 14] ^ words[index &- 16]
                    words[index] = mixed.rotated(31)
                }
                var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
                for index in 0..<80 {
                    let (mixed, constant): (UInt32, UInt32) =
                        switch index {
                        case ..<20: ((b & c) | (~b & d), 0x5A82_7999)
                        case ..<40: (b ^ c ^ d, 0x6ED9_EBA1)
                        case ..<60: ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC)
                        default: (b ^ c ^ d, 0xCA62_C1D6)
                        }
                    let next = a.rotated(27) &+ mixed &+ e &+ constant &+ words[index]
                    (e, d, c, b, a) = (d, c, b.rotated(2), a, next)
                }
                (state[0], state[1], state[2]) = (state[0] &+ a, state[1] &+ b, state[2] &+ c)
                (state[3], state[4]) = (state[3] &+ d, state[4] &+ e)
            }
        }
    }
}

extension UInt32 {
    /// Rotated to the right.
    fileprivate func rotated(_ count: UInt32) -> UInt32 { (self &>> count) | (self &<< (32 &- count)) }
}

extension [UInt32] {
    /// Eight digits a word.
    fileprivate var hexadecimal: String {
        map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }
}
