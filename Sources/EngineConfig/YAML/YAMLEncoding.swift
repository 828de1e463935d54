/// Checks that bytes are the UTF-8 that the parser expects.
enum YAMLEncoding {
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// The bytes without a byte order mark; throws at the first byte that is not UTF-8.
    static func utf8(_ bytes: [UInt8]) throws(YAMLProblem) -> [UInt8] {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw YAMLProblem(mark: .start, message: "expected UTF-8 text, found UTF-16")
        }
        if let offset = firstInvalidOffset(bytes) {
            let byte = String(bytes[offset], radix: 16)
            throw YAMLProblem(
                mark: .locating(offset: offset, in: bytes),
                message: "expected UTF-8 text, found the byte 0x\(byte.count < 2 ? "0" : "")\(byte)")
        }
        return bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(byteOrderMark.count)) : bytes
    }

    private static func firstInvalidOffset(_ bytes: [UInt8]) -> Int? {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var offset = 0
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): offset += UTF8.width(scalar)
            case .emptyInput: return nil
            case .error: return offset
            }
        }
    }
}
