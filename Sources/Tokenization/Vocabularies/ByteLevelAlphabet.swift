/// The 256 characters in which GPT-2 and its heirs write bytes, so that a vocabulary is printable text.
///
/// Printable Latin-1 bytes stand for themselves; the other 68 are U+0100 and up, in order
/// (Radford et al. 2019, `bytes_to_unicode` of the GPT-2 release).
struct ByteLevelAlphabet: Sendable {
    /// The byte of each scalar below U+0144; -1: none.
    private let byteOfScalar: [Int16]

    /// The scalar of each byte.
    let scalarOfByte: [Unicode.Scalar]

    init() {
        var bytes = [Int16](repeating: -1, count: 0x144)
        var scalars: [Unicode.Scalar] = []
        var next: UInt16 = 0x100
        for byte in UInt16(0)...255 {
            let isItself = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
            let value = isItself ? byte : next
            if !isItself { next += 1 }
            bytes[Int(value)] = Int16(byte)
            scalars.append(Unicode.Scalar(value) ?? "?")
        }
        byteOfScalar = bytes
        scalarOfByte = scalars
    }

    /// The bytes that `token` writes; `nil`: it has a character that is not in the alphabet.
    func bytes(of token: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(token.utf8.count)
        for scalar in token.unicodeScalars {
            guard scalar.value < 0x144, byteOfScalar[Int(scalar.value)] >= 0 else { return nil }
            bytes.append(UInt8(byteOfScalar[Int(scalar.value)]))
        }
        return bytes
    }
}
