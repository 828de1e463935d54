/// The 256 characters that represent bytes in vocabularies of GPT-2 and later models, so that these are printable text.
///
/// Printable Latin-1 bytes represent themselves; the other 68 are U+0100 and up, in order
/// (Radford et al. 2019, `bytes_to_unicode` of the GPT-2 release).
struct ByteLevelAlphabet: Sendable {
    /// The byte of each scalar below U+0144; -1: none.
    private let byteOfScalar: [Int16]

    let scalarOfByte: [Unicode.Scalar]

    static let shared = ByteLevelAlphabet()

    private init() {
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

    /// The bytes that `token`, in UTF-8, represents; `nil`: it has a character that is not in the alphabet.
    func bytes(of token: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(token.count)
        var index = 0
        while index < token.count {
            let (value, length) = UTF8Scalar.value(at: index, of: token)
            guard value < 0x144, byteOfScalar[Int(value)] >= 0 else { return nil }
            bytes.append(UInt8(byteOfScalar[Int(value)]))
            index += length
        }
        return bytes
    }

    /// The characters of `bytes`, in UTF-8.
    func encode(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        for byte in bytes { text.append(contentsOf: UTF8.encode(scalarOfByte[Int(byte)]) ?? .init()) }
        return text
    }
}
