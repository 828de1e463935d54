import FoundationEssentials
import InferenceEngine
import SharedValues
import Testing

@testable import Comparison

@Suite("What a comparison says")
struct ReportTests {
    /// A result put together by hand: two configurations measured, a third that could not be.
    private func result() async throws -> ComparisonMeasurements {
        let names = ["full", "<b>&\"small\"", "broken"]
        let configurations = names.map { ComparedConfiguration(name: $0, path: $0 + ".yaml") }
        var settings = ComparisonSettings()
        settings.budgetByteCount = 10_000
        settings.loadPromptTokenCount = 24
        settings.loadOutputTokenCount = 8
        settings.concurrencies = [1, 2]
        let prompts = ["alike", "early", "late", "unsure"]
        var result = ComparisonMeasurements(
            configurations, try ComparisonInputs(text: "t", prompts: prompts), settings)
        result.referenceIndex = 0
        let engine = scriptedEngine()
        defer { engine.stop() }
        let batches = try await LoadTest.run(settings, on: engine)
        for index in 0..<2 {
            var memory = MemoryFigures()
            memory.weights = index == 0 ? 4000 : 1000
            memory.block = 100
            memory.groups = [CacheGroup(blockSize: 16)]
            result.entries[index].add(scores(index))
            result.entries[index].add(continuations(index))
            var load = PartOutcome()
            load.load = LoadFigures(batches: batches, memory: memory)
            result.entries[index].add(load)
        }
        result.entries[2].failure = .init(reason: "no such <file>", isUserError: true)
        return result
    }

    private func scores(_ index: Int) -> PartOutcome {
        var scores = TextScores()
        scores.tokenCount = 5
        scores.tokensDigest = "same"
        scores.vocabularySize = 3
        scores.negativeLogLikelihoods = index == 0 ? [1, 2, 1, 2] : [1.5, 2, 1, 2.5]
        if index == 1 {
            var against = TextScores.Against()
            against.divergences = [0, 0.25, 0.25, 0.5]
            against.agreements = [true, true, false, true]
            scores.against = against
        }
        var outcome = PartOutcome()
        outcome.text = scores
        return outcome
    }

    private func continuations(_ index: Int) -> PartOutcome {
        func make(_ text: String, _ probabilities: [Float]) -> Continuation {
            var continuation = Continuation()
            continuation.promptTokens = [1]
            continuation.tokens = text.unicodeScalars.map { Int32($0.value) }
            continuation.probabilities = probabilities
            continuation.text = text
            continuation.textEnds = (1...text.unicodeScalars.count).map { count in
                String(String.UnicodeScalarView(text.unicodeScalars.prefix(count))).utf8.count
            }
            return continuation
        }
        var outcome = PartOutcome()
        outcome.continuations =
            index == 0
            ? [
                make("abcd", [0.9, 0.9, 0.9, 0.9]), make("äbcd", [0.9, 0.8, 0.9, 0.9]),
                make("abcd", [0.9, 0.9, 0.9, 0.7]), make("abcd", [0.9, 0.3, 0.9, 0.9]),
            ]
            : [
                make("abcd", [1, 1, 1, 1]), make("äx\u{1B}[2J", [1, 1, 1, 1, 1, 1]), make("abcx", [1, 1, 1, 1]),
                make("ax<i>", [1, 1, 1, 1, 1]),
            ]
        return outcome
    }

    private func report() async throws -> ComparisonReport {
        ComparisonReport(try await result(), date: "2026-01-01", machine: "M")
    }

    @Test("quality against the reference, by hand")
    func quality() async throws {
        let report = try await report()
        let (first, second) = (
            try #require(report.configurations[0].quality), try #require(report.configurations[1].quality)
        )
        #expect(report.reference == "full" && first.against == nil && first.obstacle == nil)
        #expect(abs(first.perplexity.value - 4.4816890703) < 1e-6)
        let against = try #require(second.against)
        // Differences 0.5 0 0 0.5: mean 1/4, variance 1/12, error sqrt(1/12/4).
        let ratio = try #require(against.perplexityRatio)
        #expect(abs(ratio.value - 1.2840254167) < 1e-6 && abs(ratio.standardError - 0.1853331146) < 1e-6)
        #expect(against.divergence?.value == 0.25 && against.divergenceP99 == 0.5 && against.divergenceMax == 0.5)
        #expect(against.sameTopToken?.value == 0.75)
        #expect(against.identicalTokens?.value == (4 + 1 + 3 + 1) / 4.0)
        #expect(against.identicalContinuations == 1 && against.continuations == 4)
        #expect(report.configurations[2].quality == nil && report.configurations[2].failure == "no such <file>")
    }

    @Test("the worst prompts part first, and from what the reference was surest of")
    func worst() async throws {
        let worst = try await report().configurations[1].worstPrompts
        #expect(worst.map(\.prompt) == ["early", "unsure", "late"] && worst.map(\.identicalTokens) == [1, 1, 3])
        #expect(worst[0].sameText == "ä" && worst[0].referenceText == "bcd" && worst[0].text == "x\u{1B}[2J")
        #expect(abs(worst[0].referenceProbability - 0.8) < 1e-6)
    }

    @Test("memory at the same budget")
    func memory() async throws {
        let memories = try await report().configurations.compactMap(\.memory)
        #expect(memories.map(\.cacheCapacityTokens) == [60 * 16, 90 * 16])
        #expect(memories.map(\.requestsThatFit) == [30, 45] && memories.map(\.budgetBytes) == [10_000, 10_000])
    }

    @Test("other tokens are said to be incomparable; what can be compared still is")
    func incomparable() async throws {
        var result = try await result()
        result.entries[1].text?.tokensDigest = "other"
        var report = ComparisonReport(result, date: "", machine: "")
        var quality = try #require(report.configurations[1].quality)
        #expect(quality.obstacle == "the text becomes other tokens than the reference's")
        #expect(quality.against?.divergence == nil && quality.against?.identicalTokens != nil)
        #expect("\(report)".contains("cannot be compared in everything: the text becomes other tokens"))
        result.entries[1].continuations?[2].promptTokens = [2]
        report = ComparisonReport(result, date: "", machine: "")
        quality = try #require(report.configurations[1].quality)
        #expect(quality.obstacle?.hasSuffix("; prompt 3 becomes other tokens than the reference's") == true)
        #expect(quality.against?.identicalTokens == nil && report.configurations[1].worstPrompts.isEmpty)
    }

    @Test("the table has every figure, in lines of one length, and nothing that a terminal obeys")
    func table() async throws {
        let text = "\(try await report())"
        for line in ["perplexity", "KL divergence, p99", "2 at once: decode", "weights"] {
            #expect(text.contains("\n\(line)"), "\(line)")
        }
        #expect(text.contains("75.0 ± 25.0") && text.contains("1 of 4") && text.contains("1,440"))
        #expect(text.contains("broken was not measured to the end: no such <file>"))
        #expect(!text.unicodeScalars.contains("\u{1B}") && text.contains("same") && text.contains("had 80 %"))
        let figures = text.split(separator: "\n").filter { $0.contains("at once") || $0.hasPrefix("weights") }
        #expect(Set(figures.map(\.count)).count == 1)
    }

    @Test("the page and the picture are whole, escape what was measured, and load nothing")
    func page() async throws {
        let report = try await report()
        for text in [report.html, report.picture] {
            #expect(text.contains("&lt;b&gt;&amp;&quot;small&quot;") && !text.contains("<b>&") && !text.contains("<i>"))
            for word in ["https:", "<script", "<link", "@import", "url(", "href", "src="] {
                #expect(!text.contains(word), "\(word)")
            }
            #expect(!text.contains("\"nan\"") && !text.contains("inf\"") && text.contains("prefers-color-scheme: dark"))
        }
        #expect(report.html.contains("no such &lt;file&gt;") && report.html.contains("<mark>bcd</mark>"))
        #expect(report.picture.utf8.count < 100_000)
    }

    @Test("nothing measured is a report too")
    func empty() throws {
        var configuration = ComparedConfiguration(name: "a", path: "a.yaml")
        configuration.failure = .init(reason: "no", isUserError: true)
        let result = ComparisonMeasurements([configuration], try ComparisonInputs(text: "t"), ComparisonSettings())
        let report = ComparisonReport(result, date: "", machine: "")
        #expect("\(report)".contains("a was not measured to the end: no"))
        #expect(report.html.contains("</html>") && report.picture.contains("</svg>"))
    }

    @Test("the JSON has every figure under its name")
    func json() async throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let text = String(decoding: try encoder.encode(try await report()), as: UTF8.self)
        for key in [
            "perplexity", "standard_error", "divergence_p99", "same_top_token", "identical_tokens", "worst_prompts",
            "decode_tokens_per_second", "time_to_first_token_median", "weights_bytes", "cache_capacity_tokens",
            "requests_that_fit", "peak_resident_bytes", "failure", "reference",
        ] {
            #expect(text.contains("\"\(key)\""), "\(key)")
        }
        #expect(!text.contains("quantiles"))
    }
}
