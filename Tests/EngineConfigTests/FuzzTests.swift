import SharedValues
import Testing

@testable import EngineConfig

@Suite struct FuzzTests {
    private static let pieces = [
        ":", "- ", "? ", "[", "]", "{", "}", ",", "&a ", "*a", "!t ", "|", ">", "'", "\"", "#", "%YAML 1.1\n", "---\n",
        "...\n", "\t", "\n", "\r", "  ", "~", "<<: ", "\u{0}", "\u{FEFF}", "\u{2028}", "\\x", "99999999999999999999",
        "-0", ".inf", "1e400", "0x1p9", "GiB", "é", "cache:\n  block_size: ", "model.path",
    ]

    /// Every line has a shape that tools can read, whatever the bytes.
    private func check(_ bytes: [UInt8], overrides: [String] = []) {
        for line in complaints(about: bytes, overrides: overrides) {
            let isPlaced = line.hasPrefix("c.yaml:") || line.hasPrefix("--set")
            #expect(isPlaced && !line.contains("\n") && line.utf8.count < 1000, "\(bytes)")
        }
    }

    @Test("Random bytes give an error of one line or a configuration, never a crash", arguments: [1, 2, 3, 4])
    func randomBytes(_ seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        for _ in 0..<500 {
            let count = Int.random(in: 0...200, using: &generator)
            check((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
    }

    @Test("Random YAML syntax likewise", arguments: [5, 6, 7, 8])
    func randomSyntax(_ seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        for _ in 0..<500 {
            let count = Int.random(in: 1...40, using: &generator)
            let text = (0..<count).compactMap { _ in Self.pieces.randomElement(using: &generator) }.joined()
            check(Array(text.utf8), overrides: [text, "cache.block_size=\(text)", "model=\(text)"])
        }
    }

    @Test("A good file with a few bytes changed likewise", arguments: [9, 10, 11, 12])
    func mutations(_ seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let original = Array(EngineConfiguration.schema().utf8.filter { $0 != UInt8(ascii: "#") })
        let complete = Array(EngineConfiguration.schema().utf8)
        for round in 0..<250 {
            var bytes = round.isMultiple(of: 2) ? complete : original
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let offset = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0...3, using: &generator) {
                case 0: bytes[offset] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: offset)
                case 2: bytes.insert(contentsOf: (Self.pieces.randomElement(using: &generator) ?? "").utf8, at: offset)
                default: bytes.removeSubrange(offset..<min(bytes.count, offset + 40))
                }
            }
            check(bytes)
        }
    }
}
