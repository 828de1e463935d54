import FoundationEssentials
import Testing
import Tokenization

/// The work on a text is proportional to its length, whatever it is. With the environment variable
/// `QUIRE_TOKENIZER_SPEED`, a folder with `text.txt` and folders that each have a `tokenizer.json`, speeds are printed.
@Suite("Time of tokenization")
struct SpeedTests {
    private static let folder = ProcessInfo.processInfo.environment["QUIRE_TOKENIZER_SPEED"]

    private func seconds(_ body: () -> Void) -> Double {
        let start = ContinuousClock.now
        body()
        let duration = ContinuousClock.now - start
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    @Test("speeds of real tokenizers are printed")
    func speeds() throws {
        guard let folder = Self.folder else { return }
        let text = String(decoding: try Data(contentsOf: URL(filePath: "\(folder)/text.txt")), as: UTF8.self)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where !name.contains(".") {
            var tokenizer: TokenizerPipeline?
            let load = seconds {
                tokenizer = try? TokenizerPipeline(tokenizerJSONPath: "\(folder)/\(name)/tokenizer.json")
            }
            let pipeline = try #require(tokenizer)
            var ids: [TokenID] = []
            let times = (0..<9).map { _ in
                seconds { ids = pipeline.encode(text, addSpecialTokens: false, parseSpecialTokens: true) }
            }
            let sorted = times.sorted()
            let decoding = seconds { _ = pipeline.decode(ids, skipSpecialTokens: false) }
            func rate(_ seconds: Double) -> String {
                let tenths = Int(Double(text.utf8.count) / seconds / 1e5)
                return "\(tenths / 10).\(tenths % 10)"
            }
            print(
                "SPEED \(name): \(ids.count) tokens, median \(rate(sorted[4])) MB/s (\(rate(sorted[8])) to \(rate(sorted[0]))), "
                    + "decoding \(rate(decoding)) MB/s, loading \(Int(load * 1000)) ms")
        }
    }

    @Test("a megabyte of one letter takes less than seconds", arguments: Fixture.families + ["patterns"])
    func oneLetter(family: String) throws {
        let name = family == "patterns" ? "qwen2" : family
        var source = String(
            decoding: try Data(contentsOf: URL(filePath: Fixture.path("\(name).tokenizer.json"))), as: UTF8.self)
        if family == "patterns" {
            // The worst cases of other engines: each search would read to the end, and find one letter.
            source = source.replacing(#"\\p{N}|"#, with: #"(?:\\p{L}*)*7|\\s+$|(?=a*b)a|\\p{N}|"#)
            try #require(source.contains("a*b"))
        }
        let tokenizer = try TokenizerPipeline(tokenizerJSON: source.utf8)
        for letter in ["a", " ", "\n", "中"] {
            let text = String(repeating: letter, count: (1 << 20) / letter.utf8.count)
            let time = seconds { _ = tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false) }
            // Quadratic work would take minutes; this takes a tenth of a second on a machine that does nothing else.
            #expect(time < 20, "\(letter.debugDescription)")
        }
    }
}
