/// A place in a text: line and column, both counted from one, columns in Unicode scalars.
struct SourceMark: Sendable, Equatable, Comparable {
    var line: Int
    var column: Int

    /// The first character of a text.
    static let start = SourceMark(line: 1, column: 1)

    static func < (left: SourceMark, right: SourceMark) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }

    /// The place of the byte at `offset` of `bytes`, which are UTF-8 at least up to there.
    static func locating(offset: Int, in bytes: [UInt8]) -> SourceMark {
        var mark = SourceMark.start
        for byte in bytes.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                mark = SourceMark(line: mark.line + 1, column: 1)
            } else if byte & 0b1100_0000 != 0b1000_0000 {
                mark.column += 1
            }
        }
        return mark
    }
}
