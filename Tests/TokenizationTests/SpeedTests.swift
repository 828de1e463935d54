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

    @Test(
        "a megabyte of one letter takes a few times longer than 256 kilobytes",
        arguments: Fixture.families + ["patterns"])
    func oneLetter(family: String) throws {
        let source = String(
            decoding: try Data(
                contentsOf: URL(
                    filePath: Fixture.path(family == "patterns" ? "qwen2.tokenizer.json" : "\(family).tokenizer.json"))),
            as: UTF8.self)
        // The slow engine's worst cases: each search would read to the end, and find one letter.
        let changed =
            family == "patterns"
            ? source.replacing(#"\\p{N}|"#, with: #"(?:\\p{L}*)*7|\\s+$|(?=a*b)a|\\p{N}|"#) : source
        let tokenizer = try TokenizerPipeline(tokenizerJSON: changed.utf8)
        for letter in ["a", " ", "\n", "中"] {
            func time(_ byteCount: Int) -> Double {
                let text = String(repeating: letter, count: byteCount / letter.utf8.count)
                return (0..<2).map { _ in
                    seconds { _ = tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false) }
                }.min() ?? 0
            }
            let (short, long) = (time(1 << 18), time(1 << 20))
            // Four times the text; sixteen times the work if it were quadratic.
            #expect(long < 9 * short + 0.05, "\(letter.debugDescription): \(short) s, \(long) s")
        }
    }
}
