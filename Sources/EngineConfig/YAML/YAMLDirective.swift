/// Refuses the directives that would open a YAML document with definitions of tags.
enum YAMLDirective {
    private static let name = Array("%TAG".utf8)

    /// Throws at the first `%TAG` that may begin a line.
    ///
    /// libyaml compares each with all before it: a megabyte of them takes it many seconds. Whatever is not ASCII
    /// counts as a line's end, since libyaml knows three such ones.
    static func refuseTags(in bytes: [UInt8]) throws(YAMLProblem) {
        for offset in bytes.indices where bytes[offset] == name[0] && bytes[offset...].starts(with: name) {
            let before = offset == 0 ? UInt8(ascii: "\n") : bytes[offset - 1]
            guard before == UInt8(ascii: "\n") || before == UInt8(ascii: "\r") || before >= 0x80 else { continue }
            throw YAMLProblem(
                mark: .locating(offset: offset, in: bytes), message: "expected no %TAG directive, as tags are refused")
        }
    }
}
